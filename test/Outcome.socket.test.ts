/**
 * How requests end, on sockets: each has one outcome, its bytes are those that left, and it comes when the last one has.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as App from "../src/App.ts"
import * as Body from "../src/Body.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Middleware from "../src/Middleware.ts"
import type { Outcome } from "../src/Outcome.ts"
import * as Redirect from "../src/Redirect.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import type * as Server from "../src/server/Server.ts"
import type * as Wire from "./conformance/wire.ts"
import { get, post, recorder, until } from "./server/both.ts"
import { type Started, start } from "./server/started.ts"

class NotThere extends HttpError.define<NotThere>()("NotThere", { status: 404 }) {}

const megabytes = (count: number) => "x".repeat(count * 1024 * 1024)
const endless = Stream.forever(Stream.make("y".repeat(64 * 1024)))
const gate = Deferred.makeUnsafe<void>()
const events: Array<string> = []

const app = App.make({
  text: Route.get("/text", Response.text("hello")),
  effect: Route.get("/effect", Effect.succeed(Response.text("effect"))),
  item: Route.get("/items/{id}", ({ params }) => Response.text(params.id)),
  chunks: Route.get("/chunks", Response.stream(Stream.make("a", "bb", "x".repeat(5000)))),
  empty: Route.get("/empty", Response.stream(Stream.empty)),
  none: Route.get("/none", Response.empty()),
  tagged: Route.get("/tagged", Effect.succeed(Response.setHeader(Response.text("tagged"), "etag", '"1"'))),
  domain: Route.get("/domain", Effect.fail(new NotThere())),
  redirect: Route.get("/redirect", Effect.fail(new Redirect.Found({ location: "/" }))),
  defect: Route.get("/defect", Effect.die("a")),
  breaks: Route.get("/breaks", Response.stream(Stream.concat(Stream.make("some"), Stream.die("a")))),
  fails: Route.get("/fails", Response.stream(Stream.concat(Stream.make("some"), Stream.fail(new NotThere())))),
  early: Route.get("/early", Response.stream(Stream.fail(new NotThere()))),
  echo: Route.post("/echo", Effect.map(Body.bytes(), Response.bytes)),
  large: Route.get("/large", Response.text(megabytes(8))),
  endless: Route.get("/endless", Response.stream(endless)),
  never: Route.get("/never", Effect.andThen(note("never"), Effect.never)),
  stubborn: Route.get("/stubborn", Effect.uninterruptible(Effect.tap(note("stubborn"), Deferred.await(gate)))),
  caught: Route.get("/caught", Effect.fail(new HttpError.Gone())).pipe(
    Route.use(Middleware.catch(HttpError.Gone, () => Effect.succeed(Response.text("caught"))))
  )
})

function note(text: string) {
  return Effect.as(
    Effect.sync(() => void events.push(text)),
    Response.text("late")
  )
}

interface Given extends Started {
  readonly wire: Wire.Wire
  readonly outcomes: ReadonlyArray<Outcome>
}

/** A server whose outcomes are written down. */
const followed = (test: (given: Given) => Effect.Effect<unknown, unknown, Scope.Scope>, options?: Server.Options) =>
  Effect.suspend(() => {
    const outcomes: Array<Outcome> = []
    const format = ({ outcome }: { readonly outcome: Outcome }) => {
      outcomes.push(outcome)
      return ""
    }
    events.length = 0
    const { layer } = recorder()
    return Effect.gen(function* () {
      const started = yield* start(app, { ...options, accessLog: { format, write: () => {} } })
      return yield* test({ ...started, wire: yield* started.connect, outcomes })
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

const shown = ({ error, result, status }: Outcome) => `${status} ${result}${error === undefined ? "" : ` ${error}`}`

type Row = readonly [request: string, outcome: string, bodyBytes?: number]
const rows: ReadonlyArray<Row> = [
  [get("/text"), "200 completed", 5],
  [get("/effect"), "200 completed", 6],
  [get("/chunks"), "200 completed", 5003],
  [get("/empty"), "200 completed", 0],
  [get("/none"), "204 completed", 0],
  [get("/text").replace("GET", "HEAD"), "200 completed", 0],
  [get("/chunks").replace("GET", "HEAD"), "200 completed", 0],
  [get("/tagged", 'If-None-Match: "1"\r\n'), "304 completed", 0],
  [get("/tagged", 'If-Match: "2"\r\n'), "412 failed PreconditionFailed"],
  [get("/caught"), "200 completed", 6],
  [get("/redirect"), "302 completed"],
  [get("/domain"), "404 failed NotThere"],
  [get("/nowhere"), "404 failed NotFound"],
  [post("/text", ""), "405 failed MethodNotAllowed"],
  [get("/%ff"), "400 failed BadRequest"],
  [get("/defect"), "500 defect"],
  [get("/early"), "404 failed NotThere"],
  [post("/echo", "abc"), "200 completed", 3],
  [post("/echo", "", "Content-Encoding: none\r\n"), "415 failed UnsupportedMediaType"],
  [get("/text").replace("HTTP/1.1", "HTTP/1.0"), "200 completed", 5],
  [get("/chunks").replace("HTTP/1.1", "HTTP/1.0"), "200 completed", 5003],
  [get("/text", "Expect: magic\r\n"), "417 failed ExpectationFailed"],
  [get("/text").replace("Host: a", "Host: a b"), "400 failed BadRequest"],
  ["NO GOOD\r\n\r\n", "400 failed BadRequest"],
  ["CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "405 failed MethodNotAllowed"],
  [get("/text", `A: ${"a".repeat(20_000)}\r\n`), "431 failed RequestHeaderFieldsTooLarge"],
  [
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nnonsense\r\n",
    "400 failed BadRequest"
  ]
]

describe("the outcome of", () => {
  for (const [request, wanted, bodyBytes] of rows) {
    it.live(`${JSON.stringify(request.slice(0, 70))} is ${wanted}, with all bytes that left`, () =>
      followed(({ outcomes, wire }) =>
        Effect.gen(function* () {
          yield* wire.send(request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))
          const received = yield* wire.closed
          yield* until(() => outcomes.length > 0)
          assert.deepStrictEqual(outcomes.map(shown), [wanted])
          const [{ bodyBytes: body, bytes }] = outcomes as [Outcome]
          assert.strictEqual(bytes, received.length)
          if (bodyBytes !== undefined) assert.strictEqual(body, bodyBytes)
        })
      )
    )
  }

  it.live("a request names its route, its pattern and its client, and lasts from its turn to its last byte", () =>
    followed(({ outcomes, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/items/7?a=b", "X-A: b\r\n"))
        yield* wire.answer()
        yield* until(() => outcomes.length === 1)
        const { duration, startTime, ...outcome } = outcomes[0] as Outcome
        const { httpVersion, method, pattern, remoteAddress, route, url } = outcomes[0] as Outcome
        assert.deepStrictEqual([method, url, httpVersion], ["GET", "/items/7?a=b", "1.1"])
        assert.deepStrictEqual([route, pattern, remoteAddress], ["item", "/items/{id}", "127.0.0.1"])
        assert.deepStrictEqual([outcome.requestId, outcome.protocol], [undefined, undefined])
        assert.strictEqual(outcomes[0]?.requestHeader("x-a"), "b")
        assert.strictEqual(outcomes[0]?.responseHeader("content-length"), "1")
        assert.isAbove(startTime.epochMilliseconds, 1_700_000_000_000)
        assert.isAbove(Duration.toMillis(duration), 0)
        assert.isBelow(Duration.toMillis(duration), 5000)
      })
    )
  )

  it.live("each request of a connection, and of a pipeline, is its own", () =>
    followed(({ outcomes, wire }) =>
      Effect.gen(function* () {
        const paths = ["/text", "/chunks", "/items/1", "/nowhere", "/defect", "/effect"]
        yield* wire.send(paths.map((path) => get(path)).join(""))
        for (const _ of paths) yield* wire.answer()
        yield* until(() => outcomes.length === paths.length)
        assert.deepStrictEqual(outcomes.map(({ bodyBytes, url }) => [url, bodyBytes]).slice(0, 3), [
          ["/text", 5],
          ["/chunks", 5003],
          ["/items/1", 1]
        ])
        assert.deepStrictEqual(outcomes.map(shown).slice(3), ["404 failed NotFound", "500 defect", "200 completed"])
      })
    )
  )
})

describe("when the client leaves", () => {
  it.live("before there is a head, it is a 499 without bytes", () =>
    followed(({ outcomes, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/never"))
        yield* until(() => events.length === 1)
        wire.socket.destroy()
        yield* until(() => outcomes.length === 1)
        assert.deepStrictEqual(outcomes.map(shown), ["499 clientAborted"])
        assert.deepStrictEqual([outcomes[0]?.bytes, outcomes[0]?.bodyBytes], [0, 0])
      })
    )
  )

  for (const path of ["/large", "/endless"]) {
    it.live(`in the middle of ${path}, it has the bytes that the kernel took, and no more`, () =>
      followed(({ outcomes, wire }) =>
        Effect.gen(function* () {
          let received = 0
          wire.socket.on("data", (chunk: Buffer) => {
            received += chunk.length
            if (received > 200_000) wire.socket.pause()
          })
          yield* wire.send(get(path))
          yield* until(() => received > 200_000)
          // The kernel fills its buffers.
          yield* Effect.sleep("100 millis")
          wire.socket.destroy()
          yield* until(() => outcomes.length === 1)
          assert.deepStrictEqual(outcomes.map(shown), ["200 clientAborted"])
          const { bodyBytes, bytes } = outcomes[0] as Outcome
          assert.isAtLeast(bytes, received)
          assert.isBelow(bytes, 8 * 1024 * 1024)
          assert.isBelow(bodyBytes, bytes)
        })
      )
    )
  }

  it.live("behind an answer that it did not take, the next one in the pipeline is told too", () =>
    followed(({ outcomes, wire }) =>
      Effect.gen(function* () {
        wire.socket.pause()
        yield* wire.send(get("/large") + get("/text") + get("/text"))
        yield* Effect.sleep("100 millis")
        wire.socket.destroy()
        yield* until(() => outcomes.length >= 2)
        assert.includeMembers(outcomes.map(shown), ["200 clientAborted", "499 clientAborted"])
        assert.isTrue(outcomes.slice(1).every(({ bytes }) => bytes === 0))
      })
    )
  )

  it.live("in the middle of its upload, it has left, although a 400 was sent to it", () =>
    followed(({ outcomes, received, wire }) =>
      Effect.gen(function* () {
        const request = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"
        yield* wire.send(request)
        yield* received(request.length)
        wire.socket.destroy()
        yield* until(() => outcomes.length === 1)
        assert.deepStrictEqual(outcomes.map(shown), ["400 clientAborted"])
      })
    )
  )
})

describe("when an answer breaks off behind its head", () => {
  const broken: ReadonlyArray<readonly [path: string, wanted: string]> = [
    ["/breaks", "200 defect"],
    ["/fails", "200 failed NotThere"]
  ]
  for (const [path, wanted] of broken) {
    it.live(`${path} is ${wanted}, with the bytes that left`, () =>
      followed(({ outcomes, wire }) =>
        Effect.gen(function* () {
          yield* wire.send(get(path))
          const received = yield* wire.closed
          yield* until(() => outcomes.length === 1)
          assert.deepStrictEqual(outcomes.map(shown), [wanted])
          assert.strictEqual(outcomes[0]?.bytes, received.length)
          assert.strictEqual(outcomes[0]?.bodyBytes, 4)
        })
      )
    )
  }
})

describe("when the server stops", () => {
  const options = { shutdownTimeout: "50 millis", interruptGrace: "50 millis" } as const

  it.live("what was interrupted is drained: answered with a 503, or broken off", () =>
    followed(
      ({ connect, outcomes, stop, wire }) =>
        Effect.gen(function* () {
          const other = yield* connect
          yield* wire.send(get("/never"))
          yield* other.send(get("/endless"))
          yield* until(() => events.length === 1)
          yield* other.until("HTTP/1.1 200")
          yield* stop
          assert.strictEqual((yield* wire.answer()).status, 503)
          yield* until(() => outcomes.length === 2)
          assert.sameMembers(outcomes.map(shown), ["503 drained", "200 drained"])
        }),
      options
    )
  )

  it.live("what refuses to end is drained when its connection is destroyed", () =>
    followed(
      ({ outcomes, stop, wire }) =>
        Effect.gen(function* () {
          yield* wire.send(get("/stubborn"))
          yield* until(() => events.length === 1)
          yield* stop
          yield* until(() => outcomes.length === 1)
          assert.deepStrictEqual(outcomes.map(shown), ["503 drained"])
          yield* Deferred.succeed(gate, undefined)
        }),
      options
    )
  )
})

it.live("a head that takes too long is timed out", () =>
  followed(
    ({ outcomes, wire }) =>
      Effect.gen(function* () {
        yield* wire.send("GET / HTTP/1.1\r\nHost: a\r\n")
        yield* wire.closed
        yield* until(() => outcomes.length === 1)
        assert.deepStrictEqual(outcomes.map(shown), ["408 timedOut RequestTimeout"])
      }),
    { headersTimeout: "500 millis" }
  )
)
