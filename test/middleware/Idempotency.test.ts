/**
 * Requests with an Idempotency-Key: carried out once, and answered again.
 */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpBody from "effect/http/HttpBody"
import * as UrlParams from "effect/http/UrlParams"
import * as Layer from "effect/Layer"
import type { Redis } from "effect/persistence/Redis"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { expectTypeOf } from "vitest"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as IdempotencyKey from "../../src/http/IdempotencyKey.ts"
import * as Middleware from "../../src/Middleware.ts"
import * as Multipart from "../../src/Multipart.ts"
import * as Idempotency from "../../src/middleware/Idempotency.ts"
import * as RecordStore from "../../src/RecordStore.ts"
import * as Redirect from "../../src/Redirect.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Sqlite from "../../src/server/Sqlite.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as Folder from "../folder.ts"
import * as PostgresServer from "../postgresServer.ts"
import * as RedisServer from "../redisServer.ts"
import { recorder } from "../server/both.ts"

const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

class CardDeclined extends HttpError.define<CardDeclined>()(
  "CardDeclined",
  { status: 409 },
  { card: Schema.String, at: Schema.DateFromString }
) {}
class Tired extends HttpError.define<Tired>()("Tired", { status: 503 }) {}

const scope = Effect.map(Request.header("x-user"), (user = "nobody") => user)

/** An app whose work is counted; what it does is said by the body. */
const make = <SE = never, SR = never>(options: Partial<Idempotency.Options<never, never, SE, SR>> = {}) => {
  const state = { runs: 0, gate: Deferred.makeUnsafe<void>(), begun: Deferred.makeUnsafe<void>() }
  const work = Effect.gen(function* () {
    const body = yield* Body.text()
    const run = ++state.runs
    switch (body) {
      case "slow":
        yield* Deferred.succeed(state.begun, undefined)
        yield* Deferred.await(state.gate)
        return Response.text(`slow ${run}`)
      case "declined":
        return yield* new CardDeclined({
          card: "4000",
          at: new Date(0),
          text: `Run ${run}`,
          headers: { "x-run": `${run}` }
        })
      case "redirect":
        return yield* new Redirect.SeeOther({ location: `/done/${run}` })
      case "tired":
        return yield* new Tired({ text: `Run ${run}` })
      case "unauthorized":
        return yield* new HttpError.Unauthorized({ text: `Run ${run}` })
      case "dies":
        return yield* Effect.die(new Error(`Run ${run}`))
      case "stream":
        return Response.stream(Stream.make(new TextEncoder().encode(`stream ${run}`)))
      case "large":
        return Response.text("x".repeat(2000))
      case "bytes":
        return Response.bytes(new Uint8Array([0, 255, run]), { status: 201, headers: { location: "/1" } })
      case "empty":
        return Response.empty()
      default:
        return Response.json({ run, body }, { status: 201 }).pipe(
          Response.setHeader("x-run", `${run}`),
          Response.setCookie("secret", "s", { httpOnly: true })
        )
    }
  })
  // Given so that tests need no type for each store.
  const idempotent = Idempotency.make<never, never, SE, SR>({ scope: scope as Effect.Effect<string>, ...options })
  const app = App.make({
    pay: Route.view("/pay", { post: work, patch: work, put: work }).pipe(Route.use(idempotent)),
    other: Route.post("/other", work).pipe(Route.use(idempotent))
  })
  return { state, app }
}

interface Sent {
  readonly body?: string
  readonly key?: string | undefined
  readonly user?: string
  readonly path?: string
  readonly method?: "post" | "patch" | "put"
}

const send = (
  client: Testing.Client,
  { body = "one", key = "k", method = "post", path = "/pay", user = "ada" }: Sent = {}
) =>
  client[method](path, {
    headers: { ...(key === "" ? undefined : { "idempotency-key": key }), "x-user": user },
    body: HttpBody.text(body)
  })

/** The status and what the client sees. */
const seen = (client: Testing.Client, sent?: Sent) =>
  Effect.flatMap(send(client, sent), (response) =>
    Effect.map(response.text, (text) => {
      const { "content-type": type, "idempotent-replayed": replayed } = response.headers
      return { status: response.status, text, type, replayed, cookie: "set-cookie" in response.headers }
    })
  )

const started = Effect.fnUntraced(function* (options?: Partial<Idempotency.Options>) {
  const { app, state } = make(options)
  return { client: yield* Testing.client(app), state }
})

it("a key is a string in quotes, or what stands there without", () => {
  const rows: ReadonlyArray<readonly [string, string | undefined]> = [
    ['"abc"', "abc"],
    ["abc", "abc"],
    [" 8e03978e-40d5-43dd-bc93-6894a57f9324 ", "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ['"a b, c"', "a b, c"],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    ["x".repeat(255), "x".repeat(255)],
    ["x".repeat(256), undefined],
    ["", undefined],
    ['""', undefined],
    ['"', undefined],
    ['"a', undefined],
    ['"a\\b"', undefined],
    ['"a", "b"', undefined],
    ["a, b", undefined],
    ["a b", undefined],
    ["é", undefined],
    ['"a";b=1', undefined]
  ]
  for (const [field, key] of rows) assert.strictEqual(IdempotencyKey.parse(field), key, field)
})

describe("an answer is given again", () => {
  it.effect("with its status, fields and body, without cookies, and says so", () =>
    Effect.gen(function* () {
      const { client, state } = yield* started()
      const first = yield* send(client)
      assert.deepStrictEqual([first.status, first.headers["idempotent-replayed"]], [201, undefined])
      assert.isDefined(first.headers["set-cookie"])
      const second = yield* send(client)
      assert.deepStrictEqual([second.status, second.headers["idempotent-replayed"]], [201, "true"])
      assert.isUndefined(second.headers["set-cookie"])
      assert.deepStrictEqual(
        [second.headers["x-run"], second.headers["content-type"], yield* second.json],
        ["1", first.headers["content-type"], yield* first.json]
      )
      assert.strictEqual(state.runs, 1)
    })
  )

  it.effect("also bytes, nothing, and a redirect that was a failure", () =>
    Effect.gen(function* () {
      const { client, state } = yield* started()
      for (const [n, body] of ["bytes", "empty", "redirect"].entries()) {
        const [first, second] = [yield* send(client, { body, key: body }), yield* send(client, { body, key: body })]
        assert.deepStrictEqual(
          [second.status, second.headers.location, second.headers["content-type"], yield* second.text],
          [first.status, first.headers.location, first.headers["content-type"], yield* first.text]
        )
        assert.strictEqual(state.runs, n + 1)
      }
    })
  )

  it.effect("a typed failure is one again, of its class, for middleware and renderer", () =>
    Effect.gen(function* () {
      const { app, state } = make()
      const caught: Array<CardDeclined> = []
      const own = app.pipe(
        App.use(
          Middleware.catch(CardDeclined, (error) => {
            caught.push(error)
            return Effect.fail(error)
          })
        )
      )
      const client = yield* Testing.client(own)
      const [first, second] = [yield* send(client, { body: "declined" }), yield* send(client, { body: "declined" })]
      assert.deepStrictEqual([first.status, second.status, state.runs], [409, 409, 1])
      assert.deepStrictEqual(yield* second.json, {
        type: "about:blank",
        title: "Conflict",
        status: 409,
        detail: "Run 1",
        card: "4000",
        at: "1970-01-01T00:00:00.000Z",
        _tag: "CardDeclined"
      })
      assert.deepStrictEqual(yield* second.json, yield* first.json)
      assert.deepStrictEqual([second.headers["x-run"], second.headers["idempotent-replayed"]], ["1", "true"])
      assert.deepStrictEqual(
        caught.map(({ at, card }) => [card, at.getTime()]),
        [
          ["4000", 0],
          ["4000", 0]
        ]
      )
    })
  )

  it.effect("and to another process: of its class where that is declared, else of one that looks the same", () =>
    Effect.gen(function* () {
      const store = RecordStore.memory()
      const first = yield* Testing.client(make({ store }).app)
      const original = yield* send(first, { body: "declined" })
      for (const errors of [[], [CardDeclined]]) {
        const isInstance: Array<boolean> = []
        const app = make({ store, errors }).app.pipe(
          App.use(
            Middleware.catch(CardDeclined, (error) => {
              isInstance.push(true)
              return Effect.fail(error)
            })
          )
        )
        const again = yield* send(yield* Testing.client(app), { body: "declined" })
        assert.deepStrictEqual(
          [again.status, again.headers["x-run"], again.headers["idempotent-replayed"]],
          [409, "1", "true"]
        )
        assert.deepStrictEqual(yield* again.json, yield* original.json)
        assert.lengthOf(isInstance, errors.length)
      }
    })
  )

  it.effect("for as long as it is kept", () =>
    Effect.gen(function* () {
      const { client, state } = yield* started({ expires: "1 hour" })
      yield* send(client)
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual((yield* seen(client)).replayed, "true")
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* seen(client)).replayed, undefined)
      assert.strictEqual(state.runs, 2)
    })
  )
})

describe("the work is done again", () => {
  it.effect("after a defect, a failure of 500 and above, and one that says not now or not as who you are", () =>
    Effect.gen(function* () {
      const { client, state } = yield* started()
      for (const body of ["dies", "tired", "unauthorized"]) {
        const before = state.runs
        yield* send(client, { body, key: body })
        assert.strictEqual((yield* seen(client, { body, key: body })).replayed, undefined)
        assert.strictEqual(state.runs, before + 2, body)
      }
    })
  )

  it.effect("after the client of the first has left, by one of those who waited", () =>
    Effect.gen(function* () {
      const { client, state } = yield* started()
      const first = yield* Effect.forkChild(send(client, { body: "slow" }))
      yield* Deferred.await(state.begun)
      const second = yield* Effect.forkChild(seen(client, { body: "slow" }))
      yield* Fiber.interrupt(first)
      yield* Effect.repeat(turn, { until: () => state.runs === 2 })
      yield* Deferred.succeed(state.gate, undefined)
      assert.deepStrictEqual((yield* Fiber.join(second)).text, "slow 2")
    })
  )

  it.effect("without a key, by another method, and with another key", () =>
    Effect.gen(function* () {
      const { client, state } = yield* started()
      for (const sent of [{ key: "" }, { key: "" }, { method: "put" }, { method: "put" }, {}, { key: "l" }] as const) {
        assert.strictEqual((yield* send(client, sent)).status, 201)
      }
      assert.strictEqual(state.runs, 6)
    })
  )
})

describe("a request that comes while the first is carried out", () => {
  it.effect("waits for it and gets the same answer", () =>
    Effect.gen(function* () {
      const { client, state } = yield* started()
      const all = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 50 }), () => seen(client, { body: "slow" }), { concurrency: "unbounded" })
      )
      yield* Deferred.await(state.begun)
      yield* Deferred.succeed(state.gate, undefined)
      const found = yield* Fiber.join(all)
      assert.deepStrictEqual([...new Set(found.map(({ text }) => text))], ["slow 1"])
      assert.lengthOf(
        found.filter(({ replayed }) => replayed === "true"),
        49
      )
      assert.strictEqual(state.runs, 1)
    })
  )

  it.effect("is 409 with Retry-After when that takes too long, in this process and in another", () =>
    Effect.gen(function* () {
      const store = RecordStore.memory()
      const { client, state } = yield* started({ store, wait: "2 seconds" })
      const other = yield* started({ store, wait: "2 seconds" })
      const first = yield* Effect.forkChild(seen(client, { body: "slow" }))
      yield* Deferred.await(state.begun)
      for (const { client: one } of [{ client }, other]) {
        const second = yield* Effect.forkChild(send(one, { body: "slow" }))
        const response = yield* hurried(Fiber.join(second))
        assert.deepStrictEqual([response.status, response.headers["retry-after"]], [409, "1"])
        assert.include(yield* response.text, "IdempotencyInProgress")
      }
      yield* Deferred.succeed(state.gate, undefined)
      assert.strictEqual((yield* Fiber.join(first)).text, "slow 1")
      assert.deepStrictEqual([state.runs, other.state.runs], [1, 0])
    })
  )

  it.effect("in another process waits as long as the first gives signs of life, and takes over when it has died", () =>
    Effect.gen(function* () {
      const store = RecordStore.memory()
      const options = { store, wait: "1 hour", lease: "30 seconds" } as const
      const { client, state } = yield* started(options)
      const other = yield* started(options)
      yield* Deferred.succeed(other.state.gate, undefined)
      yield* Effect.forkChild(seen(client, { body: "slow" }))
      yield* Deferred.await(state.begun)
      const second = yield* Effect.forkChild(seen(other.client, { body: "slow" }))
      yield* passing(600)
      assert.isUndefined(second.pollUnsafe())
      assert.strictEqual(other.state.runs, 0)
      yield* Deferred.succeed(state.gate, undefined)
      assert.strictEqual((yield* hurried(Fiber.join(second))).text, "slow 1")
      assert.deepStrictEqual([state.runs, other.state.runs], [1, 0])
    })
  )

  it.effect("in another process takes over when the first has died", () =>
    Effect.gen(function* () {
      const memory = RecordStore.memory()
      let dead = false
      const store: RecordStore.RecordStore = {
        get: memory.get,
        put: (key, value, options) => (dead ? Effect.undefined : memory.put(key, value, options)),
        remove: memory.remove
      }
      const one = yield* started({ store })
      const other = yield* started({ store: memory, wait: "1 hour", lease: "30 seconds" })
      yield* Deferred.succeed(other.state.gate, undefined)
      yield* Effect.forkChild(seen(one.client, { body: "slow" }))
      yield* Deferred.await(one.state.begun)
      dead = true
      const second = yield* Effect.forkChild(seen(other.client, { body: "slow" }))
      yield* passing(20)
      assert.isUndefined(second.pollUnsafe())
      assert.strictEqual((yield* hurried(Fiber.join(second))).text, "slow 1")
      assert.deepStrictEqual([one.state.runs, other.state.runs], [1, 1])
    })
  )
})

it.effect("the handler reads the body as it likes: whole, as a stream, as a form or in parts", () =>
  Effect.gen(function* () {
    const parts = Effect.gen(function* () {
      const reader = yield* Multipart.reader
      return Response.text(yield* reader.field("a"))
    })
    const stream = Effect.map(Stream.mkString(Stream.decodeText(Body.stream())), (text) => Response.text(text))
    const form = Effect.map(Body.form(Schema.Struct({ a: Schema.String })), ({ a }) => Response.text(a))
    const once = Idempotency.make({ scope: "shared" })
    const app = App.make({
      stream: Route.post("/stream", stream).pipe(Route.use(once)),
      form: Route.post("/form", form).pipe(Route.use(once)),
      parts: Route.post("/parts", parts).pipe(Route.use(once)),
      json: Route.post("/json", { body: Body.json(Schema.Struct({ a: Schema.String })) }, ({ body }) =>
        Effect.succeed(Response.text(body.a))
      ).pipe(Route.use(once))
    })
    const client = yield* Testing.client(app)
    const data = new FormData()
    data.append("a", "b")
    const rows = [
      ["/stream", HttpBody.text("b")],
      ["/form", HttpBody.urlParams(UrlParams.fromInput({ a: "b" }))],
      ["/parts", HttpBody.formData(data)],
      ["/json", HttpBody.jsonUnsafe({ a: "b" })]
    ] as const
    for (const [path, body] of rows) {
      const response = yield* client.post(path, { headers: { "idempotency-key": path.slice(1) }, body })
      assert.deepStrictEqual([path, response.status, yield* response.text], [path, 200, "b"])
    }
  })
)

describe("a request is refused", () => {
  it.effect("with 422 when its key was used for another body, path, query or method", () =>
    Effect.gen(function* () {
      const { client, state } = yield* started()
      yield* send(client)
      for (const sent of [{ body: "two" }, { path: "/other" }, { path: "/pay?a" }, { method: "patch" }] as const) {
        const response = yield* send(client, sent)
        assert.strictEqual(response.status, 422)
        assert.include(yield* response.text, '"_tag":"IdempotencyKeyReused"')
      }
      assert.strictEqual(state.runs, 1)
    })
  )

  it.effect("with 422 when its key was used at another host that has a route of its own", () =>
    Effect.gen(function* () {
      const work = Route.post("/pay", Response.text("paid")).pipe(Route.use(Idempotency.make({ scope: "shared" })))
      const app = App.make({
        shop: Route.host("{tenant}.shop.test", App.make({ work })),
        api: Route.host("api.test", App.make({ work }))
      })
      const client = yield* Testing.client(app)
      const at = (host: string) => client.post("/pay", { headers: { host, "idempotency-key": "k" } })
      const found = yield* Effect.forEach(["a.shop.test", "b.shop.test", "api.test", "a.shop.test"], at)
      assert.deepStrictEqual(
        found.map(({ status, headers }) => [status, headers["idempotent-replayed"]]),
        [
          [200, undefined],
          [422, undefined],
          [422, undefined],
          [200, "true"]
        ]
      )
    })
  )

  it.effect("with 422 also while the first is carried out", () =>
    Effect.gen(function* () {
      const store = RecordStore.memory()
      const [one, other] = [yield* started({ store }), yield* started({ store })]
      yield* Effect.forkChild(send(one.client, { body: "slow" }))
      yield* Deferred.await(one.state.begun)
      for (const { client } of [one, other]) assert.strictEqual((yield* send(client, { body: "two" })).status, 422)
    })
  )

  it.effect("with 400 when its key is malformed, or missing where one is required", () =>
    Effect.gen(function* () {
      const { client, state } = yield* started({ required: true })
      for (const key of ["", '"', "a, b", "x".repeat(256)]) {
        const response = yield* send(client, { key })
        assert.strictEqual(response.status, 400)
        assert.include(yield* response.text, '"_tag":"IdempotencyKeyInvalid"')
      }
      assert.strictEqual(state.runs, 0)
      assert.strictEqual((yield* send(client, { key: "", method: "put" })).status, 201)
    })
  )

  it.effect("with 413 when its body is too large to be compared", () =>
    Effect.gen(function* () {
      const { client, state } = yield* started({ bodyLimit: "1 kB" })
      assert.strictEqual((yield* send(client, { body: "x".repeat(1001) })).status, 413)
      assert.strictEqual((yield* send(client, { body: "x".repeat(1000) })).status, 201)
      assert.strictEqual((yield* send(client, { body: "x".repeat(1001), key: "" })).status, 201)
      assert.strictEqual(state.runs, 2)
    })
  )

  it.effect("with 409 when the first was carried out and its answer could not be kept", () =>
    Effect.gen(function* () {
      const { client, state } = yield* started({ answerLimit: "1 kB" })
      for (const body of ["stream", "large"]) {
        assert.strictEqual((yield* send(client, { body, key: body })).status, 200)
        const again = yield* send(client, { body, key: body })
        assert.strictEqual(again.status, 409)
        assert.include(yield* again.text, '"_tag":"IdempotencyNotKept"')
      }
      assert.strictEqual(state.runs, 2)
    })
  )
})

it.effect("keys of different users never meet, and those of one server are not those of another", () =>
  Effect.gen(function* () {
    const { app, state } = make()
    const [one, other] = [yield* Testing.client(app), yield* Testing.client(app)]
    yield* send(one, { user: "ada" })
    assert.strictEqual((yield* seen(one, { user: "grace" })).replayed, undefined)
    assert.strictEqual((yield* seen(other, { user: "ada" })).replayed, undefined)
    assert.strictEqual(state.runs, 3)
  })
)

it.effect("of two around one handler the outer one counts", () =>
  Effect.gen(function* () {
    const store = RecordStore.memory()
    const { app, state } = make({ store })
    const outer = Idempotency.make({ scope: "shared", store })
    const client = yield* Testing.client(app.pipe(App.use(outer)))
    assert.deepStrictEqual([(yield* seen(client)).status, (yield* seen(client)).replayed, state.runs], [201, "true", 1])
  })
)

it.effect("a store that fails is 503 before the work, and only a warning after it", () => {
  const log = recorder()
  return Effect.gen(function* () {
    const memory = RecordStore.memory()
    let failing = false
    const fail = Effect.suspend(() => Effect.fail(new RecordStore.RecordStoreError({ cause: new Error("gone") })))
    const store: RecordStore.RecordStore<RecordStore.RecordStoreError> = {
      get: (key) => (failing ? fail : memory.get(key)),
      put: (key, value, options) => (failing ? fail : memory.put(key, value, options)),
      remove: (key, options) => (failing ? fail : memory.remove(key, options))
    }
    const { app, state } = make({ store })
    const client = yield* Testing.client(app)
    const first = yield* Effect.forkChild(seen(client, { body: "slow" }))
    yield* Deferred.await(state.begun)
    failing = true
    yield* Deferred.succeed(state.gate, undefined)
    assert.strictEqual((yield* Fiber.join(first)).text, "slow 1")
    assert.include(log.logs.join("\n"), "Warn What a request came to could not be kept")
    assert.strictEqual((yield* send(client)).status, 503)
    assert.strictEqual(state.runs, 1)
    assert.deepStrictEqual(
      log.logs.filter((line) => line.startsWith("Error")),
      []
    )
  }).pipe(Effect.provide(log.layer))
})

it("times that are none are refused when they are declared", () => {
  // Meant as seconds and hours: numbers are of milliseconds
  for (const [options, message] of [
    [
      { lease: 30 },
      "Idempotency.make: a lease of 30ms is below 100ms; a live process would lose its claims. Give one as"
    ],
    [{ lease: 0 }, 'Give one as "30 seconds"'],
    [{ expires: 24 }, 'Idempotency.make: answers would be kept for 24ms; give a time as "24 hours"']
  ] as const) {
    assert.throws(() => Idempotency.make({ scope: "shared", ...options }), TypeError, message)
  }
})

it("the types tell what it fails with and needs", () => {
  const plain = Idempotency.make({ scope: "shared" })
  type Own =
    | Idempotency.KeyInvalid
    | Idempotency.KeyReused
    | Idempotency.InProgress
    | Idempotency.NotKept
    | HttpError.BadRequest
    | HttpError.ContentTooLarge
  expectTypeOf(plain).toEqualTypeOf<Middleware.Middleware<never, Own>>()
  const inSql = Idempotency.make({ scope, store: RecordStore.sql() })
  expectTypeOf(inSql).toEqualTypeOf<
    Middleware.Middleware<never, Own | RecordStore.RecordStoreError, SqlClient.SqlClient>
  >()
})

it.live("a request that is sent again to another server of the same routes is the same one", () =>
  Effect.gen(function* () {
    const { app, state } = make({ store: RecordStore.memory() })
    const clients = [yield* Testing.socketClient(app), yield* Testing.socketClient(app)]
    const found = yield* Effect.forEach(clients, (client) => seen(client))
    assert.deepStrictEqual(
      found.map(({ replayed, status }) => [status, replayed]),
      [
        [201, undefined],
        [201, "true"]
      ]
    )
    assert.strictEqual(state.runs, 1)
  })
)

/** Fifty requests at two servers of a store. */
const fifty = <R>(
  name: string,
  store: RecordStore.RecordStore<RecordStore.RecordStoreError, R>,
  layers: Effect.Effect<Layer.Layer<R, unknown>, never, Scope.Scope>
) =>
  it.live(`fifty requests at two servers are carried out once (${name})`, () =>
    Effect.gen(function* () {
      const services = yield* layers
      const { app, state } = make({ store })
      // What the app needs is R, which the compiler does not work out.
      const client = Testing.client as (app: unknown) => Effect.Effect<Testing.Client, never, Scope.Scope>
      const start = Effect.flatMap(Layer.build(services), (context) => Effect.provideContext(client(app), context))
      const clients = [yield* start, yield* start] as const
      const all = Effect.forEach(
        Array.from({ length: 50 }),
        (_, n) => seen(clients[n % 2 === 0 ? 0 : 1], { body: "slow" }),
        { concurrency: "unbounded" }
      )
      const running = yield* Effect.forkChild(all)
      yield* Deferred.await(state.begun)
      yield* Effect.sleep("100 millis")
      yield* Deferred.succeed(state.gate, undefined)
      const found = yield* Fiber.join(running)
      assert.deepStrictEqual([...new Set(found.map(({ text }) => text))], ["slow 1"])
      assert.strictEqual(state.runs, 1)
      const later = yield* Effect.forEach(clients, (client) => seen(client, { body: "slow" }))
      assert.deepStrictEqual(
        later.map(({ replayed, text }) => [text, replayed]),
        [
          ["slow 1", "true"],
          ["slow 1", "true"]
        ]
      )
    })
  )

const redisLayer = Effect.map(RedisServer.make, ({ path }) =>
  Layer.fresh(NodeRedis.layer({ socket: { path, tls: false }, disableOfflineQueue: true }))
)
describe.runIf(RedisServer.isInstalled)("with redis-server", () => {
  fifty<Redis>("Redis", RecordStore.redis(), redisLayer)

  it.live("a server that is cut off loses its claim, and another one carries the request out", () => {
    const log = recorder()
    return Effect.gen(function* () {
      const redis = yield* redisLayer
      const { app, state } = make({ store: RecordStore.redis(), lease: "300 millis" })
      const start = Effect.flatMap(Layer.build(redis), (context) =>
        Effect.map(Effect.provide(Testing.client(app), context), (client) => ({ client, context }))
      )
      const [one, other] = [yield* start, yield* start]
      const first = yield* Effect.forkChild(seen(one.client, { body: "slow" }))
      yield* Deferred.await(state.begun)
      const second = yield* Effect.forkChild(seen(other.client, { body: "slow" }))
      yield* Effect.sleep("600 millis")
      assert.strictEqual(state.runs, 1)
      yield* Effect.sync(() => Context.get(one.context, NodeRedis.NodeRedis).client.destroy())
      yield* Effect.repeat(turn, { until: () => state.runs === 2 })
      yield* Deferred.succeed(state.gate, undefined)
      assert.deepStrictEqual([(yield* Fiber.join(first)).text, (yield* Fiber.join(second)).text], ["slow 1", "slow 2"])
      assert.include(log.logs.join("\n"), "A claim could not be renewed")
    }).pipe(Effect.provide(log.layer))
  })
})
describe.runIf(PostgresServer.isInstalled)("with postgres", () => {
  fifty<SqlClient.SqlClient>(
    "PostgreSQL",
    RecordStore.sql(),
    Effect.map(PostgresServer.make, (server) => Layer.fresh(PostgresServer.layer(server)))
  )
})
fifty<SqlClient.SqlClient>(
  "SQLite",
  RecordStore.sql(),
  Effect.sync(() => Layer.fresh(Sqlite.layer({ filename: Folder.make().at("answers.db") })))
)

/** Time goes by in steps: who waits looks again and again, and the requests move on between. */
const passing = (seconds: number) =>
  Effect.forEach(Array.from({ length: 40 }), () =>
    Effect.andThen(Effect.andThen(turn, turn), Effect.andThen(TestClock.adjust(seconds * 25), turn))
  )

/** Time goes by until it is done. */
const hurried = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.raceFirst(effect, Effect.forever(Effect.andThen(TestClock.adjust("100 millis"), turn)))
