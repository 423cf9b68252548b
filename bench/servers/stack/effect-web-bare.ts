/** effect-web's route without anything around it. */
import { App, Response, Route, Server } from "../../../dist/index.js"

const hello = () => Response.json({ message: "Hello, Ada!" })

Server.run(App.make({ json: Route.get("/json", hello), login: Route.get("/login", hello) }), {
  port: Number(process.env.PORT),
  host: "127.0.0.1"
})
