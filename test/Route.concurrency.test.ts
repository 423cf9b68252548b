/**
 * `Route.concurrency`: so many at a time, so many in the queue, and the others come again.
 */
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { served } from "../src/testing/Served.ts"
import * as Testing from "../src/testing/Testing.ts"
import { both, get, turns, until } from "./server/both.ts"

const started: Array<string> = []
let gates = new Map<string, Deferred.Deferred<void>>()
const reset = Effect.sync(() => {
  started.length = 0
  gates = new Map()
})
const gateOf = (id: string) => {
  const gate = gates.get(id) ?? Deferred.makeUnsafe<void>()
  gates.set(id, gate)
  return gate
}
const open = (id: string) => Effect.suspend(() => Deferred.succeed(gateOf(id), undefined))

const work = ({ params }: { readonly params: { readonly id: string } }) =>
  Effect.suspend(() => {
    started.push(params.id)
    return Effect.as(Deferred.await(gateOf(params.id)), Response.text(params.id))
  })
const bulkhead = Route.concurrency({ limit: 1, queue: 2, wait: "5 seconds" })
const app = App.make({
  work: Route.get("/work/{id}", work).pipe(bulkhead),
  shared: Route.get("/shared/{id}", work).pipe(bulkhead),
  free: Route.get("/free", Response.text("free")),
  stream: Route.get("/stream/{id}", ({ params }) =>
    Response.stream(
      Stream.concat(Stream.make("a"), Stream.unwrap(Effect.as(Deferred.await(gateOf(params.id)), Stream.make("b"))))
    )
  ).pipe(Route.concurrency({ limit: 1, queue: 0 })),
  fails: Route.get("/fails", Effect.die("bug")).pipe(Route.concurrency({ limit: 1, queue: 0 }))
})

const sent = (client: HttpClient.HttpClient, path: string) =>
  Effect.forkChild(client.get(path), { startImmediately: true })
// A request has come through when a later one of another connection is answered.
const arrived = (client: HttpClient.HttpClient) => Effect.andThen(turns, Effect.andThen(client.get("/free"), turns))
const text = (fiber: Fiber.Fiber<HttpClientResponse.HttpClientResponse, unknown>) =>
  Effect.flatMap(Fiber.join(fiber), (response) => response.text)

served("requests above the limit", app, (client) =>
  Effect.gen(function* () {
    yield* reset
    const one = yield* sent(client, "/work/1")
    yield* until(() => started.length === 1)
    const two = yield* sent(client, "/shared/2")
    yield* arrived(client)
    const three = yield* sent(client, "/work/3")
    yield* arrived(client)
    // The queue is full.
    const four = yield* client.get("/work/4")
    assert.deepStrictEqual([four.status, four.headers["retry-after"]], [503, "1"])
    assert.deepStrictEqual(started, ["1"])
    // In the order in which they came, over all routes that share the value.
    yield* open("1")
    assert.strictEqual(yield* text(one), "1")
    yield* until(() => started.length === 2)
    yield* open("3")
    yield* open("2")
    assert.deepStrictEqual([yield* text(two), yield* text(three)], ["2", "3"])
    assert.deepStrictEqual(started, ["1", "2", "3"])
    yield* open("5")
    assert.strictEqual((yield* client.get("/work/5")).status, 200)
  })
)

served("a wait that is over", app, (client) =>
  Effect.gen(function* () {
    yield* reset
    const one = yield* sent(client, "/work/1")
    yield* until(() => started.length === 1)
    const two = yield* sent(client, "/work/2")
    yield* arrived(client)
    yield* TestClock.adjust("5 seconds")
    const { headers, status } = yield* Fiber.join(two)
    assert.deepStrictEqual([status, headers["retry-after"]], [503, "5"])
    // Its place in the queue is free, and the turn goes to nobody who has left.
    const three = yield* sent(client, "/work/3")
    yield* arrived(client)
    yield* open("1")
    yield* open("3")
    assert.deepStrictEqual([yield* text(one), yield* text(three)], ["1", "3"])
    assert.deepStrictEqual(started, ["1", "3"])
  })
)

served("one that died has left its place", app, (client) =>
  Effect.gen(function* () {
    for (let i = 0; i < 3; i++) assert.strictEqual((yield* client.get("/fails")).status, 500)
  })
)

both("who waits is forgotten when its client leaves", app, ({ client, connect, wire }) =>
  Effect.gen(function* () {
    yield* reset
    yield* wire.send(get("/work/1"))
    yield* until(() => started.length === 1)
    const waiting = [yield* connect, yield* connect]
    for (const each of waiting) yield* each.send(get("/work/gone"))
    yield* arrived(client)
    assert.strictEqual((yield* client.get("/work/4")).status, 503)
    for (const each of waiting) each.socket.destroy()
    yield* arrived(client)
    const five = yield* connect
    yield* five.send(get("/work/5"))
    yield* arrived(client)
    yield* open("1")
    yield* open("5")
    assert.strictEqual((yield* wire.answer()).body.toString(), "1")
    assert.strictEqual((yield* five.answer()).body.toString(), "5")
    assert.deepStrictEqual(started, ["1", "5"])
  })
)

both("who runs gives its place back when its client leaves", app, ({ client, connect, wire }) =>
  Effect.gen(function* () {
    yield* reset
    yield* wire.send(get("/work/1"))
    yield* until(() => started.length === 1)
    const two = yield* connect
    yield* two.send(get("/work/2"))
    yield* arrived(client)
    wire.socket.destroy()
    yield* open("2")
    assert.strictEqual((yield* two.answer()).body.toString(), "2")
  })
)

both("a stream has its place to its end", app, ({ client, wire }) =>
  Effect.gen(function* () {
    yield* reset
    yield* wire.send(get("/stream/1"))
    yield* wire.until("a")
    assert.strictEqual((yield* client.get("/stream/2")).status, 503)
    yield* open("1")
    yield* wire.until("0\r\n\r\n")
    yield* turns
    yield* open("3")
    assert.strictEqual(yield* Effect.flatMap(client.get("/stream/3"), ({ text }) => text), "ab")
  })
)

it.effect("servers of one app do not share their places", () =>
  Effect.gen(function* () {
    yield* reset
    const [a, b] = [yield* Testing.client(app), yield* Testing.client(app)]
    yield* sent(a, "/work/1")
    yield* until(() => started.length === 1)
    yield* sent(b, "/work/2")
    yield* until(() => started.length === 2)
  })
)
