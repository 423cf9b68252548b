/** effect-web's own proxy, all defaults. The built library by its path: it and this program load the root's one `effect`. */
import { App, Proxy, Route, Server } from "../../../dist/index.js"

const proxy = Proxy.make({ upstream: process.env.UPSTREAM ?? "" })

const app = App.make({ proxy: Route.any("/{path:.*}", proxy) })

Server.run(app, { port: Number(process.env.PORT), host: "127.0.0.1" })
