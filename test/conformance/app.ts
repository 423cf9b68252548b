/**
 * The app that the tables of conformance ask.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"

const chunks = Stream.make("one,", "two,", "three")

const echo = Effect.map(Body.bytes(), (bytes) => Response.bytes(bytes))

const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

/** What the server made of the head. */
const seen = Effect.gen(function* () {
  const { headers, method, url } = yield* HttpServerRequest.HttpServerRequest
  return Response.json({ method, url, host: headers.host ?? null })
})

/** Routes for every way to read a body and to answer. */
export const app = App.make({
  home: Route.get("/", Effect.succeed(Response.text("home"))),
  probe: Route.get("/probe", Effect.succeed(Response.text("probe"))),
  echo: Route.post("/echo", echo),
  small: Route.post("/small", echo).pipe(Route.bodyLimit("10 bytes")),
  ignore: Route.post("/ignore", Effect.succeed(Response.text("ignored"))),
  upgrade: Route.get("/upgrade", Effect.fail(new HttpError.UpgradeRequired({ protocol: "websocket" }))),
  refuse: Route.post(
    "/refuse",
    Effect.suspend(() => Effect.fail(new HttpError.Forbidden({ text: "Not you" })))
  ),
  first: Route.post(
    "/first",
    Effect.map(Stream.runHead(Body.stream()), (first) => Response.text(first._tag))
  ),
  counted: Route.post(
    "/counted",
    Effect.map(
      Stream.runFold(
        Body.stream(),
        () => 0,
        (sum, chunk) => sum + chunk.length
      ),
      (sum) => Response.text(String(sum))
    )
  ),
  coding: Route.post(
    "/coding",
    Effect.gen(function* () {
      const bytes = yield* Body.bytes()
      const { headers } = yield* HttpServerRequest.HttpServerRequest
      return Response.json({
        length: bytes.length,
        coding: headers["content-encoding"] ?? null,
        stated: headers["content-length"] ?? null
      })
    })
  ),
  stream: Route.get("/stream", Effect.succeed(Response.stream(chunks))),
  sized: Route.get("/sized", Effect.succeed(Response.stream(chunks, { contentLength: 13 }))),
  // Yields to what has come in, again and again: no clock.
  slow: Route.get("/slow", Effect.as(Effect.repeat(turn, { times: 5 }), Response.text("slow"))),
  nothing: Route.get("/nothing", Effect.succeed(Response.empty())),
  tagged: Route.get("/tagged", Effect.succeed(Response.text("tagged").pipe(Response.etag("1")))),
  dated: Route.get(
    "/dated",
    Effect.succeed(Response.text("dated").pipe(Response.lastModified(new Date("2001-09-09T01:46:40Z"))))
  ),
  status: Route.get(
    "/status/{status:\\d+}",
    Effect.map(Request.params, ({ status }) => HttpServerResponse.text("body", { status: Number(status) }))
  ),
  bare: Route.get(
    "/bare/{status:\\d+}",
    Effect.map(Request.params, ({ status }) => HttpServerResponse.empty({ status: Number(status) }))
  ),
  seen: Route.any("/seen/{rest:.*}", seen)
})
