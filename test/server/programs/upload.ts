/**
 * A server of uploads that says how much memory it took at most.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../../../src/App.ts"
import * as Multipart from "../../../src/Multipart.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import * as Server from "../../../src/server/Server.ts"

const target = process.argv[2] ?? ""

const file = Effect.flatMap(Multipart.readerWith({ limit: "1 GiB" }), (parts) => parts.file("file"))

const app = App.make({
  // In bytes; the system counts in KiB.
  peak: Route.get(
    "/peak",
    Effect.sync(() => Response.text(String(process.resourceUsage().maxRSS * 1024)))
  ),
  save: Route.post(
    "/save",
    Effect.flatMap(file, (part) => Effect.map(part.saveTo(target), (size) => Response.text(String(size))))
  ),
  stream: Route.post(
    "/stream",
    Effect.flatMap(file, (part) =>
      Effect.map(
        Stream.runFold(
          part.stream,
          () => 0,
          (size, chunk) => size + chunk.length
        ),
        (size) => Response.text(String(size))
      )
    )
  ),
  skip: Route.post(
    "/skip",
    Effect.flatMap(Multipart.readerWith({ limit: "1 GiB" }), (parts) =>
      Effect.map(Stream.runCount(parts.stream), (count) => Response.text(String(count)))
    )
  ),
  form: Route.post(
    "/form",
    Effect.map(Multipart.form(Schema.Struct({ file: Multipart.File }), { limit: "1 GiB" }), ({ file }) =>
      Response.text(String(file.size))
    )
  )
})

Server.run(app, { host: "127.0.0.1", port: 0 })
