/**
 * Bodies of requests: what plain Effect 4.1 takes without end, and effect-web refuses.
 */
import { assert, it } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as Route from "../../src/Route.ts"
import { post } from "../server/both.ts"
import { ours, plain, quiet } from "./servers.ts"

const large = "x".repeat(5_000_000)
const says = (length: number) => HttpServerResponse.text(String(length))
const length = <E, R>(body: Stream.Stream<Uint8Array, E, R>) =>
  Effect.map(
    Stream.runFold(
      body,
      () => 0,
      (sum, chunk) => sum + chunk.byteLength
    ),
    says
  )
const request = HttpServerRequest.HttpServerRequest
const chunked = (text: string) =>
  `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`

it.live("a body of 5 MB is buffered by default there, and is a 413 before it is sent here", () =>
  Effect.gen(function* () {
    const read = Effect.flatMap(request, ({ text }) => Effect.map(text, (text) => says(text.length)))
    const there = yield* plain(HttpRouter.serve(HttpRouter.add("POST", "/", read), quiet))
    assert.strictEqual((yield* there.ask(post("/", large))).body.toString(), "5000000")

    const app = App.make({
      home: Route.post(
        "/",
        Effect.map(Body.text(), (text) => says(text.length))
      )
    })
    const here = yield* ours(app)
    const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n"
    assert.strictEqual((yield* here.ask(head)).status, 413)
    assert.strictEqual((yield* here.ask(chunked(large))).status, 413)
  })
)

it.live("a limit that is set does not count a stream there, and does here", () =>
  Effect.gen(function* () {
    const limit = ByteSize.bytes(100)
    const read = Effect.flatMap(request, ({ stream }) => length(stream))
    const limited = Effect.provideService(read, HttpServerRequest.MaxBodySize, limit)
    const there = yield* plain(HttpRouter.serve(HttpRouter.add("POST", "/", limited), quiet))
    const app = App.make({ home: Route.post("/", length(Body.stream())).pipe(Route.bodyLimit(limit)) })
    const here = yield* ours(app)
    const text = "x".repeat(5000)
    for (const bytes of [post("/", text), chunked(text)]) {
      assert.strictEqual((yield* there.ask(bytes)).body.toString(), "5000")
      assert.strictEqual((yield* here.ask(bytes)).status, 413)
    }
    assert.strictEqual((yield* here.ask(chunked("x".repeat(100)))).body.toString(), "100")
  })
)

it.live("a body too large is refused after it has come there, and by its Content-Length here", () =>
  Effect.gen(function* () {
    const limit = ByteSize.bytes(100)
    const read = Effect.flatMap(request, ({ text }) => Effect.map(text, (text) => says(text.length)))
    const limited = Effect.provideService(read, HttpServerRequest.MaxBodySize, limit)
    const there = yield* plain(HttpRouter.serve(HttpRouter.add("POST", "/", limited), quiet))
    const announced = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n"
    const answer = yield* Effect.timeoutOption(there.ask(announced), "200 millis")
    assert.strictEqual(answer._tag, "None")

    const app = App.make({
      home: Route.post(
        "/",
        Effect.map(Body.text({ limit }), (text) => says(text.length))
      )
    })
    const here = yield* ours(app)
    assert.strictEqual((yield* here.ask(announced)).status, 413)
  })
)
