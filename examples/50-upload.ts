// An upload, field by field as it arrives: the file goes to disk as it comes, whatever its size, and is there whole or not at all.
//   curl -F name=Ada -F mp3=@LICENSE localhost:8080/up             # LICENSE sized of 1079 successfully stored
//   curl -i -F mp3=@LICENSE localhost:8080/up                      # 422 and name: Expected this field next, got the file
//   curl -i -F name=Ada localhost:8080/up                          # 422 and mp3: Expected this file next, got the end of the body
//   curl -i -d name=Ada localhost:8080/up                          # 415
//   curl -F a=1 -F b=@LICENSE -F c=2 localhost:8080/list           # field a and file b named LICENSE and field c
import * as Os from "node:os"
import * as Path from "node:path"
import { Effect, Stream } from "effect"
import { App, Multipart, Response, Route, Server } from "effect-web"

// The client says what its file is called, the program where it goes.
const target = Path.join(Os.tmpdir(), "effect-web-upload.mp3")

const upload = Effect.gen(function* () {
  const parts = yield* Multipart.reader
  const name = yield* parts.field("name")
  const mp3 = yield* parts.file("mp3")
  const size = yield* mp3.saveTo(target)
  yield* Effect.log(`${name} has sent ${mp3.filename}`)
  return Response.text(`${mp3.filename} sized of ${size} successfully stored`)
})

// Parts that are not read are passed over. The route takes up to 1 GiB; without a limit it would be 1 MiB.
const list = Effect.gen(function* () {
  const parts = yield* Multipart.readerWith({ limit: "1 GiB" })
  const lines = yield* Stream.runCollect(
    Stream.map(parts.stream, ({ filename, name }) =>
      filename === undefined ? `field ${name}` : `file ${name} named ${filename}`
    )
  )
  return Response.text(lines.join("\n"))
})

export const app = App.make({
  up: Route.post("/up", upload),
  list: Route.post("/list", list)
})

if (import.meta.main) Server.run(app)
