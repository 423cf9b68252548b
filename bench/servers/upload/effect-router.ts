/** Effect's own multipart on its router, without logger: it saves each file in a folder of the request, from where this program moves it. */
import * as Http from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Multipart from "effect/http/Multipart"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"

const form = HttpServerRequest.schemaBodyMultipart(
  Schema.Struct({ title: Schema.String, file: Multipart.SingleFileSchema })
)

const upload = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { title, file } = yield* form
  const { size } = yield* fileSystem.stat(file.path)
  yield* fileSystem.rename(file.path, path.join(process.env.UPLOADS ?? "", crypto.randomUUID()))
  return HttpServerResponse.text(`${title} ${size}`)
})

HttpRouter.serve(HttpRouter.add("POST", "/upload", upload), { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provide(NodeHttpServer.layer(Http.createServer, { port: Number(process.env.PORT), host: "127.0.0.1" })),
  Layer.launch,
  NodeRuntime.runMain
)
