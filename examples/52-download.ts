// Files: a download that can be resumed, a page for what is not found, and an answer of several parts.
//   curl -i localhost:8080/licence                              # 200 and accept-ranges: bytes and Permission is hereby granted
//   curl -I localhost:8080/licence                              # content-disposition: attachment; filename="the licence.txt"
//   curl -i -H 'Range: bytes=0-10' localhost:8080/licence       # 206 and content-range: bytes 0-10/ and MIT License
//   curl -i -H 'Range: bytes=0-2,-9' localhost:8080/licence     # multipart/byteranges; boundary=
//   curl -i -H 'Range: bytes=99999-' localhost:8080/licence     # 416 and content-range: bytes */
//   curl -i -H 'If-None-Match: *' localhost:8080/licence        # 304
//   curl -i localhost:8080/report                               # 404 and There is no report yet
//   curl -i localhost:8080/parts                                # multipart/mixed; boundary= and {"id":1} and one,two
import { Effect } from "effect"
import { App, HttpError, Response, Route, Server } from "effect-web"

const licence = Response.file(new URL("../LICENSE", import.meta.url), { contentType: "text/plain; charset=utf-8" })

// What is not there is an error as any other.
const report = Response.file("/no/such/report.pdf").pipe(
  Effect.catchTag("NotFound", () => Effect.fail(new HttpError.NotFound({ text: "There is no report yet" })))
)

const parts = Response.multipart([
  { body: JSON.stringify({ id: 1 }), headers: { "content-type": "application/json" } },
  { body: "one,two", headers: { "content-type": "text/csv" } }
])

export const app = App.make({
  licence: Route.get("/licence", Effect.map(licence, Response.attachment("the licence.txt"))),
  report: Route.get("/report", report),
  parts: Route.get("/parts", parts)
})

if (import.meta.main) Server.run(app)
