/** effect-web's own files, all defaults. The built library by its path: it and this program load the root's one `effect`. */
import { App, Route, Server, StaticFiles } from "../../../dist/index.js"

const app = App.make({ files: Route.mountHandler("/", StaticFiles.make({ root: process.env.FILES ?? "" })) })

Server.run(app, { port: Number(process.env.PORT), host: "127.0.0.1" })
