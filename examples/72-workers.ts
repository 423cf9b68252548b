// One process per core: who answers is said by its number. `kill -HUP` replaces them one by one, and nobody is turned away.
//   curl localhost:8080/   # hello from process
//   curl -i localhost:8080/health/ready  # 200 and "status":"pass"
import { App, Health, Response, Route, Server } from "effect-web"

export const app = App.make({
  home: Route.get("/", () => Response.text(`hello from process ${process.pid}`)),
  health: Route.mount("/health", Health.make({ checks: {} }))
})

// The supervisor runs this file too, as far as here, but serves nothing: what belongs to a worker is in a layer.
if (import.meta.main) Server.run(app, { port: Number(process.env.PORT ?? 8080), workers: "auto", accessLog: true })
