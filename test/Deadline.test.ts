/**
 * The time that a request has left: what sets it, what ends by it, and how it goes from server to server.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import * as Deadline from "../src/Deadline.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { served } from "../src/testing/Served.ts"

const shown = Effect.map(Deadline.remaining, (left) => (left === undefined ? "none" : Duration.format(left)))
const show = Effect.map(shown, (text) => Response.text(text))

/** How an effect ends, and after how long. */
const timed = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.timed(Effect.exit(effect)), { startImmediately: true })
    yield* TestClock.adjust("1 minute")
    const [duration, exit] = yield* Fiber.join(fiber)
    const how = Exit.isSuccess(exit) ? exit.value : exit.cause.reasons.map((reason) => reason._tag).join()
    return [how, Duration.format(duration)] as const
  })

describe("limit", () => {
  it.effect("ends what takes longer, as a failure with status 503", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Deadline.limit(Effect.never, 0))
      assert.deepStrictEqual(
        [error._tag, error.status, error.text],
        ["DeadlineExceeded", 503, "The answer took too long"]
      )
      assert.deepStrictEqual(yield* timed(Deadline.limit(Effect.never, "5 seconds")), ["Fail", "5s"])
    })
  )

  it.effect.each<[name: string, effect: Effect.Effect<unknown, unknown>, how: unknown, after: string]>([
    ["what ends before ends as it does", Effect.as(Effect.sleep("4 seconds"), 1), 1, "4s"],
    ["what ends at once too", Effect.succeed(1), 1, "0"],
    ["a failure is its own", Effect.fail("no"), "Fail", "0"],
    ["a defect is its own", Effect.die("no"), "Die", "0"],
    ["an interruption is its own", Effect.interrupt, "Interrupt", "0"],
    ["finalizers are waited for", Effect.onInterrupt(Effect.never, () => Effect.sleep("2 seconds")), "Fail", "7s"],
    ["a longer limit inside does not hold", Deadline.limit(Effect.never, "9 seconds"), "Fail", "5s"],
    ["a shorter one does", Deadline.limit(Effect.never, "3 seconds"), "Fail", "3s"],
    ["an infinite one is none", Deadline.limit(Effect.never, Duration.infinity), "Fail", "5s"]
  ])("%s", ([, effect, how, after]) =>
    Effect.map(timed(Deadline.limit(effect, "5 seconds")), (result) => assert.deepStrictEqual(result, [how, after]))
  )

  it.effect("an interruption from outside says why, and waits for the finalizers", () =>
    Effect.gen(function* () {
      class Why extends Context.Service<Why, string>()("test/Why") {}
      const seen: Array<unknown> = []
      const inner = Effect.onExit(Effect.never, (exit) =>
        Effect.sync(() => {
          if (Exit.isSuccess(exit)) return
          for (const reason of exit.cause.reasons) {
            seen.push(reason._tag, Context.getOrUndefined(Cause.reasonAnnotations(reason), Why))
          }
        })
      )
      const fiber = yield* Effect.forkChild(Deadline.limit(inner, "5 seconds"), { startImmediately: true })
      fiber.interruptUnsafe(undefined, Context.make(Why, "left"))
      yield* Fiber.await(fiber)
      assert.deepStrictEqual(seen, ["Interrupt", "left"])
    })
  )
})

describe("remaining", () => {
  it.effect("is undefined where there is no limit", () =>
    Effect.map(Deadline.remaining, (left) => assert.isUndefined(left))
  )
  it.effect("becomes less, in child fibers too", () => {
    const look = Effect.andThen(Effect.sleep("2 seconds"), Effect.flatMap(Effect.forkChild(shown), Fiber.join))
    return Effect.map(timed(Deadline.limit(look, "5 seconds")), ([left]) => assert.strictEqual(left, "3s"))
  })
})

describe("within", () => {
  const query = Effect.as(Effect.sleep("10 seconds"), "rows")
  const cached = Effect.catch(Deadline.within(query, { reserve: "1 second" }), () => Effect.succeed("cache"))

  it.effect("without a limit an effect has all the time it takes", () =>
    Effect.map(timed(Deadline.within(query)), (result) => assert.deepStrictEqual(result, ["rows", "10s"]))
  )
  it.effect("ends so long before the limit that something can be done about it", () =>
    Effect.map(timed(Deadline.limit(cached, "5 seconds")), (result) => assert.deepStrictEqual(result, ["cache", "4s"]))
  )
  it.effect("fails at once where less is left than is kept back", () =>
    Effect.map(timed(Deadline.limit(cached, "1 second")), (result) => assert.deepStrictEqual(result, ["cache", "0"]))
  )
  it("adds Exceeded to the failures", () =>
    expectTypeOf(Deadline.within(Effect.fail("no" as const))).toEqualTypeOf<
      Effect.Effect<never, "no" | Deadline.Exceeded, never>
    >())
})

describe("propagate", () => {
  const sent: Array<string | undefined> = []
  const upstream = HttpClient.make((request) =>
    Effect.suspend(() => {
      sent.push(request.headers["x-request-timeout-ms"])
      const answer = HttpClientResponse.fromWeb(request, new globalThis.Response("ok"))
      return request.url.endsWith("/slow") ? Effect.as(Effect.sleep("10 seconds"), answer) : Effect.succeed(answer)
    })
  )
  const client = Deadline.propagate(upstream, { reserve: "500 millis" })
  const fresh = Effect.sync(() => void sent.splice(0))

  it.effect("tells how many milliseconds are left", () =>
    Effect.gen(function* () {
      yield* fresh
      yield* timed(Deadline.limit(Effect.andThen(Effect.sleep("2 seconds"), client.get("http://a/")), "5 seconds"))
      assert.deepStrictEqual(sent, ["2500"])
    })
  )
  it.effect("tells nothing where there is no limit", () =>
    Effect.gen(function* () {
      yield* fresh
      yield* client.get("http://a/")
      assert.deepStrictEqual(sent, [undefined])
    })
  )
  it.effect("keeps a header that is there", () =>
    Effect.gen(function* () {
      yield* fresh
      yield* timed(Deadline.limit(client.get("http://a/", { headers: { "x-request-timeout-ms": "9" } }), "5 seconds"))
      assert.deepStrictEqual(sent, ["9"])
    })
  )
  it.effect("ends a request in time, as a failure of its own", () =>
    Effect.gen(function* () {
      yield* fresh
      const caught = Effect.catchTag(client.get("http://a/slow"), "DeadlineExceeded", () => Effect.succeed("late"))
      assert.deepStrictEqual(yield* timed(Deadline.limit(caught, "5 seconds")), ["late", "4s 500ms"])
    })
  )
  it.effect("sends nothing when the time is over", () =>
    Effect.gen(function* () {
      yield* fresh
      const error = yield* Effect.flip(Deadline.limit(client.get("http://a/"), "400 millis"))
      assert.deepStrictEqual([error._tag, sent], ["DeadlineExceeded", []])
    })
  )
  it("types what it adds", () => {
    expectTypeOf(client).toEqualTypeOf<
      HttpClient.HttpClient.With<HttpClientError.HttpClientError | Deadline.Exceeded, never>
    >()
  })
  it("refuses what is no header", () =>
    assert.throws(() => Deadline.propagate(upstream, { header: "a b" }), TypeError, '"a b" is no name of a header'))
})

const app = App.make({
  show: Route.get("/", show),
  timed: Route.get("/timed", show).pipe(Route.timeout("5 seconds")),
  never: Route.get("/never", Effect.never)
}).pipe(App.use(Deadline.accept({ when: ({ headers }) => headers["x-trusted"] !== "no" })))

served("a request that says how long it may take", app, (client) =>
  Effect.gen(function* () {
    const says = (value: string, path = "/", trusted = "yes") =>
      Effect.flatMap(
        client.get(path, { headers: { "x-request-timeout-ms": value, "x-trusted": trusted } }),
        (response) => Effect.map(response.text, (text) => (response.status === 200 ? text : response.status))
      )
    assert.strictEqual(yield* Effect.flatMap(client.get("/"), ({ text }) => text), "none")
    assert.strictEqual(yield* says("2500"), "2s 500ms")
    // It can only be shortened.
    assert.strictEqual(yield* says("2500", "/timed"), "2s 500ms")
    assert.strictEqual(yield* says("60000", "/timed"), "5s")
    assert.strictEqual(yield* says("0"), 503)
    assert.strictEqual(yield* says("2500", "/", "no"), "none")
    for (const bad of ["", "-1", "1.5", "1e3", "NaN", "soon", "0x10", "9999999999", "1, 2"]) {
      assert.strictEqual(yield* says(bad), "none", bad)
    }
    const never = yield* Effect.forkChild(says("3000", "/never"))
    yield* Effect.forkChild(Effect.forever(Effect.andThen(TestClock.adjust("100 millis"), Effect.yieldNow)))
    assert.strictEqual(yield* Fiber.join(never), 503)
  })
)
