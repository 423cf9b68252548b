import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as App from "../src/App.ts"
import * as Handler from "../src/Handler.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Middleware from "../src/Middleware.ts"
import * as Request from "../src/Request.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { answer, handle, says } from "./apps.ts"

class User extends Context.Service<User, { readonly name: string }>()("User") {}
class Db extends Context.Service<Db, { readonly find: string }>()("Db") {}
class Unpaid extends HttpError.define<Unpaid>()("Unpaid", { status: 402 }) {}

const ok = says("ok")
const trace =
  (mark: string): Middleware.Middleware =>
  (handler) =>
    Effect.map(handler, (response) => Response.setHeader(response, "trace", `${response.headers.trace ?? ""}${mark}`))

describe("the order of middleware", () => {
  const inner = App.make({
    it: Route.get("/it", ok).pipe(Route.use(trace("r1 ")), Route.use(trace("r2 "))),
    view: Route.view("/view", { get: ok, put: ok }).pipe(Route.use(trace("r3 "))),
    plain: Route.get("/plain", ok)
  }).pipe(App.use(trace("i1 ")), App.use(trace("i2 ")))
  const app = App.make({
    it: Route.get("/it", ok).pipe(Route.use(trace("r "))),
    in: Route.mount("/in", inner),
    deep: Route.mount("/deep", App.make({ in: Route.mount("/in", inner) }).pipe(App.use(trace("d ")))),
    old: Route.mountHandler("/old", ok),
    host: Route.host("t.test", inner)
  }).pipe(App.use(trace("a1 ")), App.use(trace("a2")))

  it.effect.each<[line: string, order: string, host?: string]>([
    ["GET /it", "r a1 a2"],
    ["GET /in/it", "r1 r2 i1 i2 a1 a2"],
    ["GET /in/view", "r3 i1 i2 a1 a2"],
    ["PUT /in/view", "r3 i1 i2 a1 a2"],
    ["GET /in/plain", "i1 i2 a1 a2"],
    ["GET /deep/in/it", "r1 r2 i1 i2 d a1 a2"],
    ["GET /old/x", "a1 a2"],
    ["GET /it", "r1 r2 i1 i2 a1 a2", "t.test"],
    ["OPTIONS /it", "a1 a2"],
    ["OPTIONS /in/it", "i1 i2 a1 a2"]
  ])("of %s is %s, from the inside out", ([line, order, host]) =>
    Effect.map(handle(app, line, host === undefined ? {} : { host }), ({ headers }) =>
      assert.strictEqual(headers.trace, order)
    )
  )

  it.effect("an app is a value: using a middleware leaves the one before as it was", () => {
    const before = App.make({ it: Route.get("/it", ok) })
    const after = before.pipe(App.use(trace("a")))
    return Effect.gen(function* () {
      assert.notProperty((yield* handle(before, "GET /it")).headers, "trace")
      assert.strictEqual((yield* handle(after, "GET /it")).headers.trace, "a")
      assert.strictEqual(after.routes, before.routes)
    })
  })

  it.effect("a route is a value too", () => {
    const before = Route.get("/it", ok)
    const after = before.pipe(Route.use(trace("r")))
    return Effect.gen(function* () {
      assert.notProperty((yield* handle(App.make({ before }), "GET /it")).headers, "trace")
      assert.strictEqual((yield* handle(App.make({ after }), "GET /it")).headers.trace, "r")
    })
  })
})

describe("a middleware", () => {
  it.effect("may answer without the handler", () => {
    const app = App.make({ it: Route.get("/", Effect.die("never run")) }).pipe(App.use(() => says("instead")))
    return Effect.map(handle(app, "GET /"), ({ text }) => assert.strictEqual(text, "instead"))
  })

  it.effect("may run the handler again", () => {
    let runs = 0
    const flaky = Effect.suspend(() => (++runs < 3 ? Effect.fail(new HttpError.BadGateway()) : ok))
    const retry: Middleware.Middleware = (handler) => Effect.retry(handler, { times: 5 })
    return Effect.map(handle(App.make({ it: Route.get("/", flaky) }).pipe(App.use(retry)), "GET /"), () =>
      assert.strictEqual(runs, 3)
    )
  })

  it.effect("sees what is not found as a failure", () => {
    const seen: Array<unknown> = []
    const watch: Middleware.Middleware = (handler) =>
      Effect.tapError(handler, (error) => Effect.sync(() => seen.push((error as HttpError.HttpError).status)))
    const app = App.make({ it: Route.get("/", ok) }).pipe(App.use(watch))
    return Effect.gen(function* () {
      for (const line of ["GET /x", "PUT /", "GET /%"]) yield* answer(app, line)
      assert.deepStrictEqual(seen, [404, 405, 400])
    })
  })

  it.effect("of a route does not see what is not found", () => {
    const app = App.make({ it: Route.get("/", ok).pipe(Route.use(trace("r"))) })
    return Effect.gen(function* () {
      assert.notProperty((yield* answer(app, "PUT /")).headers, "trace")
      assert.notProperty((yield* answer(app, "OPTIONS /")).headers, "trace")
    })
  })
})

describe("Middleware.catch", () => {
  const page = (mark: string) => (error: HttpError.HttpError) =>
    Effect.succeed(Response.text(`${mark} ${error.status}`, { status: error.status }))
  const inner = App.make({
    it: Route.get("/it", ok),
    gone: Route.get("/gone", Effect.fail(new HttpError.Gone()))
  }).pipe(App.use(Middleware.catch(HttpError.NotFound, page("inner"))))
  const app = App.make({
    in: Route.mount("/in", inner),
    gone: Route.get("/gone", Effect.fail(new HttpError.Gone()))
  }).pipe(
    App.use(Middleware.catch(HttpError.NotFound, page("outer"))),
    App.use(Middleware.catch(HttpError.MethodNotAllowed, (error) => says(`outer ${error.method} ${error.allowed}`)))
  )

  it.effect.each([
    ["GET /x", "outer 404"],
    ["GET /in/x", "inner 404"],
    ["PUT /in/it", "outer PUT GET,HEAD,OPTIONS"],
    ["PUT /gone", "outer PUT GET,HEAD,OPTIONS"]
  ] as const)("%s is caught: %s", ([line, text]) =>
    Effect.map(handle(app, line), (found) => assert.strictEqual(found.text, text))
  )

  it.effect("lets failures of other classes pass", () =>
    Effect.map(Effect.flip(handle(app, "GET /in/gone")), (error) => assert.instanceOf(error, HttpError.Gone))
  )

  it.effect("lets defects pass", () => {
    const dying = App.make({ it: Route.get("/", Effect.die(new HttpError.NotFound())) }).pipe(
      App.use(Middleware.catch(HttpError.NotFound, page("caught")))
    )
    return Effect.map(answer(dying, "GET /"), ({ text }) => assert.notInclude(text, "caught"))
  })

  it("takes the class from the failures, and adds those of its answer", () => {
    const failing = App.make({ it: Route.get("/", Effect.fail(new Unpaid())) })
    expectTypeOf(failing["~E"]).toEqualTypeOf<Unpaid>()
    expectTypeOf(failing.pipe(App.use(Middleware.catch(Unpaid, () => ok)))["~E"]).toEqualTypeOf<never>()
    const other = failing.pipe(App.use(Middleware.catch(Unpaid, () => Effect.fail(new HttpError.Gone()))))
    expectTypeOf(other["~E"]).toEqualTypeOf<HttpError.Gone>()
    expectTypeOf(other["~Added"]).toEqualTypeOf<HttpError.Gone>()
  })
})

describe("Middleware.provide", () => {
  const authenticate = Effect.gen(function* () {
    const name = yield* Request.header("x-user")
    return name === undefined ? yield* new HttpError.Unauthorized() : { name }
  })
  const user = Middleware.provide(User, authenticate, { errors: [HttpError.Unauthorized] })
  const greet = Effect.map(User, ({ name }) => Response.text(`Hello, ${name}`))
  const app = App.make({ it: Route.get("/", greet), other: Route.get("/other", greet) }).pipe(App.use(user))

  it.effect("gives the service to every handler", () =>
    Effect.map(handle(app, "GET /other", { headers: { "x-user": "Ada" } }), ({ text }) =>
      assert.strictEqual(text, "Hello, Ada")
    )
  )

  it.effect("answers its own failure in place of the handler", () =>
    Effect.map(answer(app, "GET /"), ({ status }) => assert.strictEqual(status, 401))
  )

  it.effect("works for one route", () => {
    const one = App.make({ it: Route.get("/", greet).pipe(Route.use(user)) })
    return Effect.map(handle(one, "GET /", { headers: { "x-user": "Ada" } }), ({ text }) =>
      assert.strictEqual(text, "Hello, Ada")
    )
  })

  it("carries the classes of its failures", () => assert.deepStrictEqual(user.errors, [HttpError.Unauthorized]))

  it("takes the service from the needs, and adds its own", () => {
    expectTypeOf(user).toEqualTypeOf<Middleware.Middleware<User, HttpError.Unauthorized>>()
    expectTypeOf(app["~R"]).toEqualTypeOf<never>()
    expectTypeOf(app["~E"]).toEqualTypeOf<HttpError.Unauthorized>()
    const fromDb = Middleware.provide(
      User,
      Effect.map(Db, ({ find }) => ({ name: find }))
    )
    expectTypeOf(App.make({ it: Route.get("/", greet) }).pipe(App.use(fromDb))["~R"]).toEqualTypeOf<Db>()
  })
})

describe("Middleware.before", () => {
  const paid = Effect.gen(function* () {
    if ((yield* Request.header("x-paid")) === undefined) return yield* new Unpaid()
  })
  const app = App.make({ it: Route.get("/", ok) }).pipe(App.use(Middleware.before(paid, { errors: [Unpaid] })))

  it.effect("lets the handler run after it", () =>
    Effect.map(handle(app, "GET /", { headers: { "x-paid": "yes" } }), ({ text }) => assert.strictEqual(text, "ok"))
  )

  it.effect("is answered in place of the handler when it fails, unknown paths included", () =>
    Effect.gen(function* () {
      for (const line of ["GET /", "GET /x", "PUT /"]) {
        assert.instanceOf(yield* Effect.flip(handle(app, line)), Unpaid)
      }
    })
  )

  it("adds its failures and its needs, without those of the engine", () => {
    const check = Middleware.before(Effect.andThen(Db, Effect.andThen(HttpServerRequest, paid)))
    expectTypeOf(check).toEqualTypeOf<Middleware.Middleware<never, Unpaid, Db>>()
    expectTypeOf(app["~E"]).toEqualTypeOf<Unpaid>()
    expectTypeOf(app["~Added"]).toEqualTypeOf<Unpaid>()
  })
})

describe("Middleware.onResponse", () => {
  const mark = (name: string) =>
    Middleware.onResponse((response, request) => Response.setHeader(response, name, request.method))
  const inner = App.make({ it: Route.get("/", ok) }).pipe(App.use(mark("inner")))
  const app = App.make({
    ok: Route.get("/ok", ok),
    fails: Route.get("/fails", Effect.fail(new HttpError.Gone())),
    dies: Route.get("/dies", Effect.die("no")),
    in: Route.mount("/in", inner)
  }).pipe(App.use(mark("outer")))
  const web = App.toWebHandler(app)
  const ask = (line: string) => {
    const [method = "", path = ""] = line.split(" ")
    return Effect.promise(() => web(new globalThis.Request(`http://app.test${path}`, { method })))
  }

  it.effect.each<[line: string, status: number, outer: string | null, inner: string | null]>([
    ["GET /ok", 200, "GET", null],
    ["HEAD /ok", 200, "HEAD", null],
    ["GET /fails", 410, "GET", null],
    ["GET /dies", 500, "GET", null],
    ["GET /nothing", 404, "GET", null],
    ["PUT /ok", 405, "PUT", null],
    ["OPTIONS /ok", 204, "OPTIONS", null],
    ["GET /%", 400, "GET", null],
    ["GET /in", 404, "GET", "GET"],
    ["GET /in/", 200, "GET", "GET"]
  ])("changes the answer to %s with %i", ([line, status, outer, inner]) =>
    Effect.map(ask(line), (response) =>
      assert.deepStrictEqual(
        [response.status, response.headers.get("outer"), response.headers.get("inner")],
        [status, outer, inner]
      )
    )
  )

  it.effect("may be an effect, and runs from the outside in", () => {
    const order: Array<string> = []
    const note = (name: string) =>
      Middleware.onResponse((response) =>
        Effect.as(
          Effect.sync(() => order.push(name)),
          response
        )
      )
    const noted = App.make({ it: Route.get("/", ok) }).pipe(App.use(note("inner")), App.use(note("outer")))
    return Effect.map(
      Effect.promise(() => App.toWebHandler(noted)(new globalThis.Request("http://app.test/"))),
      () => assert.deepStrictEqual(order, ["outer", "inner"])
    )
  })
})

describe("Handler.use", () => {
  const provideUser = Middleware.provide(User, Effect.succeed({ name: "Ada" }))

  it.effect("applies a middleware to a handler", () => {
    const greet = Effect.map(User, ({ name }) => Response.text(name)).pipe(Handler.use(provideUser))
    return Effect.map(handle(App.make({ it: Route.get("/", greet) }), "GET /"), ({ text }) =>
      assert.strictEqual(text, "Ada")
    )
  })

  it("takes away what the middleware provides and catches, also when it is the handler's only one", () => {
    const handler = Effect.andThen(User, Effect.fail(new Unpaid()))
    expectTypeOf(handler.pipe(Handler.use(provideUser))).toEqualTypeOf<Handler.Handler<Unpaid, Handler.Engine>>()
    expectTypeOf(handler.pipe(Handler.use(Middleware.catch(Unpaid, () => ok)))).toEqualTypeOf<
      Handler.Handler<never, User | Handler.Engine>
    >()
  })
})
