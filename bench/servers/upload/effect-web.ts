/** effect-web's multipart reader, the file streamed to disk. The built library by its path: one `effect` for it and this program. */
import * as Effect from "effect/Effect"
import { App, Multipart, Response, Route, Server } from "../../../dist/index.js"

const folder = process.env.UPLOADS ?? ""

const upload = Effect.gen(function* () {
  const parts = yield* Multipart.readerWith({ limit: "4 GiB" })
  const title = yield* parts.field("title")
  const file = yield* parts.file("file")
  const size = yield* file.saveTo(`${folder}/${crypto.randomUUID()}`)
  return Response.text(`${title} ${size}`)
})

const app = App.make({ upload: Route.post("/upload", upload) })

Server.run(app, { port: Number(process.env.PORT), host: "127.0.0.1" })
