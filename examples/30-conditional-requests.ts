// Conditional requests: an answer with an ETag is 304 for a client that has it, and a change on an old state is 412.
//   curl -i localhost:8080/note                                   # 200 and etag: "1"
//   curl -i -H 'If-None-Match: "1"' localhost:8080/note           # 304
//   curl -i -X PUT localhost:8080/note                            # 428
//   curl -i -X PUT -H 'If-Match: "0"' localhost:8080/note         # 412
//   curl -i -X PUT -H 'If-Match: "1"' -d 'new' localhost:8080/note  # 200 and etag: "2"
//   curl -i -X PUT -H 'If-Match: "2"' -d 'Hello' localhost:8080/note  # 200 and etag: "1"
//   curl -i -H 'If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT' localhost:8080/news  # 304
import { Effect } from "effect"
import { App, Body, HttpError, Request, Response, Route, Server } from "effect-web"

const versions = new Map([["Hello", "1"]])
let note = "Hello"
const version = (text: string) => versions.get(text) ?? "2"

const read = Effect.sync(() => Response.text(note).pipe(Response.etag(version(note))))

const write = Effect.gen(function* () {
  if ((yield* Request.ifMatch) === undefined) return yield* new HttpError.PreconditionRequired()
  yield* Request.precondition({ etag: { value: version(note), weak: false } })
  note = yield* Body.text()
  return yield* read
})

const news = Response.text("Nothing new").pipe(Response.lastModified(new Date("2025-12-31T00:00:00Z")))

export const app = App.make({
  note: Route.view("/note", { get: read, put: write }),
  news: Route.get("/news", news)
})

if (import.meta.main) Server.run(app)
