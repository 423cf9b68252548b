/**
 * `Route.timeout`: what takes too long is interrupted, whole, and answered; what was begun to be sent is cut.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import * as Deadline from "../src/Deadline.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Middleware from "../src/Middleware.ts"
import type { Outcome } from "../src/Outcome.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { served } from "../src/testing/Served.ts"
import * as Testing from "../src/testing/Testing.ts"
import { both, get, until } from "./server/both.ts"

const events: Array<string> = []
const note = (text: string) => Effect.sync(() => void events.push(text))
const hanging = (name: string) =>
  Effect.onInterrupt(Effect.andThen(note(`${name} started`), Effect.never), () =>
    Effect.andThen(Effect.yieldNow, note(`${name} ended`))
  )
const five = Route.timeout("5 seconds")
const outcomes: Array<Outcome> = []
const accessLog = {
  format: ({ outcome }: { readonly outcome: Outcome }) => {
    outcomes.push(outcome)
    return ""
  },
  write: () => {}
}

const family = Effect.gen(function* () {
  yield* Effect.addFinalizer(() => note("scope closed"))
  yield* Effect.forkChild(hanging("child"))
  yield* Effect.forkScoped(hanging("scoped"))
  yield* hanging("handler")
  return Response.text("never")
})

const app = App.make({
  quick: Route.get("/quick", Effect.succeed(Response.text("quick"))).pipe(five),
  plain: Route.get("/plain", Response.text("plain")).pipe(five),
  slow: Route.get(
    "/slow",
    Effect.andThen(note("slow"), Effect.as(Effect.sleep("4 seconds"), Response.text("slow")))
  ).pipe(five),
  hangs: Route.get("/hangs", hanging("handler")).pipe(five),
  family: Route.get("/family", family).pipe(five),
  fails: Route.get("/fails", Effect.fail(new HttpError.Gone())).pipe(five),
  dies: Route.get("/dies", Effect.die("bug")).pipe(five),
  dirty: Route.get(
    "/dirty",
    Effect.onInterrupt(hanging("dirty"), () => Effect.die("bug"))
  ).pipe(five),
  commits: Route.get(
    "/commits",
    Effect.uninterruptible(
      Effect.andThen(
        note("commits"),
        Effect.andThen(Effect.sleep("9 seconds"), Effect.as(note("committed"), Response.text("")))
      )
    )
  ).pipe(five),
  stream: Route.get("/stream", Response.stream(Stream.concat(Stream.make("some"), Stream.never))).pipe(five),
  waits: Route.get("/waits", Response.stream(Stream.unwrap(Effect.as(note("waits"), Stream.never)))).pipe(five),
  ends: Route.get("/ends", Response.stream(Stream.make("a", "b"))).pipe(five),
  caught: Route.get("/caught", hanging("caught")).pipe(
    five,
    Route.use(Middleware.catch(Deadline.Exceeded, () => Effect.succeed(Response.text("from the cache"))))
  ),
  login: Route.get("/login", Response.text("in")).pipe(Route.use(Middleware.before(hanging("login"))), five)
})

/** A GET whose time goes on once something has been noted. */
const after = Effect.fnUntraced(function* (client: HttpClient.HttpClient, path: string, event: string, time: string) {
  events.length = 0
  const fiber = yield* Effect.forkChild(client.get(path))
  yield* until(() => events.includes(event))
  yield* TestClock.adjust(time as Duration.Input)
  return yield* Fiber.join(fiber)
})

served("a route with a timeout", app, (client) =>
  Effect.gen(function* () {
    for (const path of ["/quick", "/plain"]) {
      assert.strictEqual(yield* (yield* client.get(path)).text, path.slice(1))
    }
    assert.strictEqual((yield* client.get("/fails")).status, 410)
    assert.strictEqual((yield* client.get("/dies")).status, 500)
    assert.strictEqual(yield* (yield* client.get("/ends")).text, "ab")

    const slow = yield* after(client, "/slow", "slow", "4 seconds")
    assert.strictEqual(yield* slow.text, "slow")

    const hangs = yield* after(client, "/hangs", "handler started", "5 seconds")
    assert.strictEqual(hangs.status, 503)
    assert.deepInclude(yield* hangs.json, { title: "Service Unavailable", detail: "The answer took too long" })
    assert.deepStrictEqual(events, ["handler started", "handler ended"])
  })
)

served("what is inside of a timeout", app, (client) =>
  Effect.gen(function* () {
    const family = yield* after(client, "/family", "handler started", "5 seconds")
    assert.strictEqual(family.status, 503)
    yield* until(() => events.length === 7)
    assert.deepStrictEqual([...events].sort(), [
      "child ended",
      "child started",
      "handler ended",
      "handler started",
      "scope closed",
      "scoped ended",
      "scoped started"
    ])

    const login = yield* after(client, "/login", "login started", "5 seconds")
    assert.deepStrictEqual([login.status, events], [503, ["login started", "login ended"]])

    const caught = yield* after(client, "/caught", "caught started", "5 seconds")
    assert.deepStrictEqual([caught.status, yield* caught.text], [200, "from the cache"])

    const dirty = yield* after(client, "/dirty", "dirty started", "5 seconds")
    assert.strictEqual(dirty.status, 500)

    const commits = yield* after(client, "/commits", "commits", "9 seconds")
    assert.deepStrictEqual([commits.status, events], [503, ["commits", "committed"]])

    const waits = yield* after(client, "/waits", "waits", "5 seconds")
    assert.strictEqual(waits.status, 503)
  })
)

served(
  "the outcome of what took too long",
  app,
  (client) =>
    Effect.gen(function* () {
      outcomes.length = 0
      yield* after(client, "/hangs", "handler started", "5 seconds")
      const stream = yield* client.get("/stream")
      const text = yield* Effect.forkChild(Effect.flip(stream.text))
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(text)
      yield* until(() => outcomes.length === 2)
      assert.deepStrictEqual(
        outcomes.map(({ error, result, status }) => [result, error, status]),
        [
          ["timedOut", "DeadlineExceeded", 503],
          ["timedOut", "DeadlineExceeded", 200]
        ]
      )
    }),
  { accessLog }
)

const quick = Route.timeout("20 millis")
const live = App.make({
  stream: Route.get("/stream", Response.stream(Stream.concat(Stream.make("some"), Stream.never))).pipe(quick),
  hangs: Route.get("/hangs", Effect.never).pipe(quick)
})

both("on the wire a stream is cut and what hung is answered; both are warnings", live, ({ connect, logs, wire }) =>
  Effect.gen(function* () {
    yield* wire.send(get("/stream"))
    const text = yield* wire.closed
    assert.include(text, "4\r\nsome\r\n")
    assert.notInclude(text, "0\r\n\r\n")
    const other = yield* connect
    yield* other.send(get("/hangs"))
    const answer = yield* other.answer()
    assert.deepStrictEqual([answer.status, answer.headers.connection], [503, undefined])
    assert.deepStrictEqual(
      logs.filter((line) => !line.startsWith("Debug")),
      [
        "Warn A response broke off after its head was sent (GET /stream)",
        "Warn The handler failed with 503 Service Unavailable: DeadlineExceeded, The answer took too long (GET /hangs)"
      ]
    )
  })
)

describe("the declaration", () => {
  it("adds Exceeded to the type", () => {
    const route = Route.get("/", Response.text("")).pipe(five)
    expectTypeOf<Route.Failures<typeof route>>().toEqualTypeOf<Deadline.Exceeded>()
    const described = Route.get("/{id}", { success: Response.schema(Schema.String) }, () => Effect.succeed("")).pipe(
      five
    )
    expectTypeOf<Route.Failures<typeof described>>().toEqualTypeOf<Deadline.Exceeded>()
  })

  it("lists Exceeded among the errors of the middleware, for documents", () => {
    const [policy] = Route.get("/", Response.text("")).pipe(five).middleware
    assert.deepStrictEqual(policy?.errors, [Deadline.Exceeded])
  })

  it.each([0, "-1 seconds", "soon"])("a timeout of %s is refused", (time) =>
    assert.throws(() => Route.timeout(time as Duration.Input), TypeError, "is no time; write more than zero")
  )

  it("two on a route are refused", () =>
    assert.throws(
      () => Route.get("/x", Response.text("")).pipe(five, five),
      TypeError,
      'The route "/x" has the policy "timeout" already; remove one of the two'
    ))
})

it.effect("an infinite timeout is none", () =>
  Effect.gen(function* () {
    const gate = yield* Deferred.make<void>()
    const waits = Effect.as(Effect.andThen(note("waits"), Deferred.await(gate)), Response.text("late"))
    const route = Route.get("/", waits).pipe(Route.timeout(Duration.infinity))
    const client = yield* Testing.client(App.make({ route }))
    events.length = 0
    const fiber = yield* Effect.forkChild(client.get("/"))
    yield* until(() => events.length === 1)
    yield* TestClock.adjust("1 day")
    yield* Deferred.succeed(gate, undefined)
    assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
  })
)
