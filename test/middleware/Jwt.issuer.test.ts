/**
 * Keys that an issuer publishes: when it is asked, what is kept, and what happens when it does not answer.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../src/App.ts"
import type * as Handler from "../../src/Handler.ts"
import * as Jwt from "../../src/middleware/Jwt.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { turns } from "../server/both.ts"
import { by, claims, pair, signed } from "./tokens.ts"

/** An issuer on a port: what it publishes can be changed, and it counts how often it is asked. */
const issuer = Effect.fnUntraced(function* (options: Jwt.RemoteOptions = {}) {
  const first = yield* pair("ES256", "1")
  const state = { asked: 0, answer: Effect.succeed(Response.json({ keys: [first.jwk] })) as Handler.Handler }
  const jwks = Effect.suspend(() => {
    state.asked++
    return state.answer
  })
  const moved = Effect.succeed(Response.redirect("/jwks"))
  const app = App.make({ jwks: Route.get("/jwks", jwks), moved: Route.get("/moved", moved) })
  const { url } = yield* Testing.socketClient(app)
  const trusting = (path: string) =>
    Jwt.verify({ keys: Jwt.remoteKeySet(url + path, options), issuer: "https://id.test", audience: "api" })
  const verify = trusting("/jwks")
  const long = { ...claims, exp: 1_000_000 }
  return {
    state,
    first,
    trusting,
    long,
    /** The subject of the token, or the status and the text of the failure. */
    says: (token: Redacted.Redacted<string>, by = verify) =>
      by(token).pipe(
        Effect.map((found) => String(found.sub)),
        Effect.catch((error) => Effect.succeed(`${error.status} ${error.text}`))
      )
  }
})

const unknown = "401 The signature of the token is not by a key that is known"
const silent = "503 The issuer of tokens does not answer"

describe("keys of an issuer", () => {
  it.effect("are fetched with the first token, and again when they are ten minutes old", () =>
    Effect.gen(function* () {
      const { first, long, says, state } = yield* issuer()
      assert.strictEqual(state.asked, 0)
      const token = yield* by(first, long)
      for (const [wait, asked] of [
        [0, 1],
        ["9 minutes", 1],
        ["1 minute", 2],
        ["9 minutes", 2]
      ] as ReadonlyArray<[Duration.Input, number]>) {
        yield* TestClock.adjust(wait)
        assert.strictEqual(yield* says(token), "ada")
        assert.strictEqual(state.asked, asked)
      }
    })
  )

  it.effect("are fetched once for a hundred tokens at once, though the first of them leaves", () =>
    Effect.gen(function* () {
      const { first, says, state } = yield* issuer()
      const token = yield* by(first)
      const leaving = yield* Effect.forkChild(says(token))
      const staying = yield* Effect.forkChild(
        Effect.forEach(Array(99).fill(token), (each) => says(each), { concurrency: 99 })
      )
      yield* Effect.yieldNow
      yield* Fiber.interrupt(leaving)
      assert.deepStrictEqual(new Set(yield* Fiber.join(staying)), new Set(["ada"]))
      assert.strictEqual(state.asked, 1)
    })
  )

  it.effect("that are new are found once the cooldown is over", () =>
    Effect.gen(function* () {
      const { first, says, state } = yield* issuer()
      const second = yield* pair("ES256", "2")
      assert.strictEqual(yield* says(yield* by(first)), "ada")
      state.answer = Effect.succeed(Response.json({ keys: [first.jwk, second.jwk] }))
      assert.strictEqual(yield* says(yield* by(second)), unknown)
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(yield* says(yield* by(second)), unknown)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* says(yield* by(second)), "ada")
      assert.strictEqual(state.asked, 2)
    })
  )

  it.effect("that are gone count no longer", () =>
    Effect.gen(function* () {
      const { first, says, state } = yield* issuer()
      const second = yield* pair("ES256", "2")
      assert.strictEqual(yield* says(yield* by(first)), "ada")
      state.answer = Effect.succeed(Response.json({ keys: [second.jwk] }))
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* says(yield* by(first)), unknown)
    })
  )

  it.effect("count for an hour more while it does not answer", () =>
    Effect.gen(function* () {
      const { first, long, says, state } = yield* issuer()
      const token = yield* by(first, long)
      assert.strictEqual(yield* says(token), "ada")
      state.answer = Effect.succeed(Response.text("", { status: 500 }))
      yield* TestClock.adjust("69 minutes")
      assert.strictEqual(yield* says(token), "ada")
      assert.strictEqual(state.asked, 2)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* says(token), silent)
    })
  )

  it.effect("come from a client among the services, where there is one", () =>
    Effect.gen(function* () {
      const { first, says, state } = yield* issuer()
      const client = HttpClient.make((request) =>
        Effect.succeed(HttpClientResponse.fromWeb(request, globalThis.Response.json({ keys: [first.jwk] })))
      )
      const token = yield* by(first)
      assert.strictEqual(yield* Effect.provideService(says(token), HttpClient.HttpClient, client), "ada")
      assert.strictEqual(state.asked, 0)
    })
  )
})

describe("an issuer that gives no keys is a 503", () => {
  const text = (text: string, status = 200) => Effect.succeed(Response.text(text, { status }))
  const rows: ReadonlyArray<[name: string, answer: Handler.Handler]> = [
    ["an error", text("", 500)],
    ["a page", text("<html></html>")],
    ["JSON of something else", Effect.succeed(Response.json({ key: 1 }))],
    ["keys that are no list", Effect.succeed(Response.json({ keys: { a: 1 } }))],
    ["null", Effect.succeed(Response.json(null))],
    ["two megabytes", text(JSON.stringify({ keys: [], padding: "x".repeat(2 ** 21) }))]
  ]
  for (const [name, answer] of rows) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const { first, says, state } = yield* issuer()
        state.answer = answer
        assert.strictEqual(yield* says(yield* by(first)), silent)
      })
    )
  }

  it.effect("a redirect", () =>
    Effect.gen(function* () {
      const { first, says, state, trusting } = yield* issuer()
      assert.strictEqual(yield* says(yield* by(first), trusting("/moved")), silent)
      assert.strictEqual(state.asked, 0)
    })
  )

  it.effect("nothing listens there, and it is not tried again before the cooldown is over", () =>
    Effect.gen(function* () {
      const { first, says } = yield* issuer()
      const keys = Jwt.remoteKeySet("http://127.0.0.1:1/jwks")
      const verify = Jwt.verify({ keys, issuer: "https://id.test", audience: "api" })
      const token = yield* by(first)
      assert.strictEqual(yield* says(token, verify), silent)
      const error = yield* Effect.flip(verify(token))
      assert.deepInclude(error, { status: 503, retryAfter: 30_000 })
      assert.isUndefined(error.cause)
    })
  )

  it.effect("no answer within five seconds", () =>
    Effect.gen(function* () {
      const { first, says, state } = yield* issuer()
      state.answer = Effect.never
      const token = yield* by(first)
      const waiting = yield* Effect.forkChild(says(token))
      while (state.asked === 0) yield* turns
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* Fiber.join(waiting), silent)
      state.answer = Effect.succeed(Response.json({ keys: [first.jwk] }))
      assert.strictEqual(yield* says(token), silent)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* says(token), "ada")
    })
  )

  it.effect("a set without the key is a 401", () =>
    Effect.gen(function* () {
      const { says, state } = yield* issuer()
      state.answer = Effect.succeed(Response.json({ keys: [] }))
      assert.strictEqual(yield* says(yield* by(yield* pair("ES256", "1"))), unknown)
      assert.strictEqual(yield* says(yield* signed()), "401 The token is not signed as it has to be")
    })
  )
})
