import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as App from "../src/App.ts"
import * as Body from "../src/Body.ts"
import type { Handler } from "../src/Handler.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Middleware from "../src/Middleware.ts"
import * as Request from "../src/Request.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { answer, handle, says } from "./apps.ts"

class Db extends Context.Service<Db, string>()("Db") {}
class User extends Context.Service<User, string>()("User") {}
class Taken extends HttpError.define<Taken>()("Taken", { status: 409 }) {}

const ok = says("ok")
const method = Effect.map(Request.method, Response.text)

describe("a route", () => {
  const verbs = [
    ["GET", Route.get],
    ["POST", Route.post],
    ["PUT", Route.put],
    ["PATCH", Route.patch],
    ["DELETE", Route.delete],
    ["HEAD", Route.head],
    ["OPTIONS", Route.options],
    ["PROPFIND", Route.method("PROPFIND")],
    ["M-SEARCH", Route.method("M-SEARCH")]
  ] as const
  it.effect.each(verbs)("answers %s", ([name, verb]) =>
    Effect.map(handle(App.make({ it: verb("/", method) }), `${name} /`), ({ text }) => assert.strictEqual(text, name))
  )

  it.effect("answers every method", () =>
    Effect.map(handle(App.make({ it: Route.any("/", method) }), "PURGE /"), ({ text }) =>
      assert.strictEqual(text, "PURGE")
    )
  )

  it.each(["", "GET ", "GE T", "GÉT", "GET\n", "G(T", "G,T"])("has no method %j", (name) =>
    assert.throws(
      () => Route.method(name),
      TypeError,
      `${JSON.stringify(name)} is no method; write one word, as "PROPFIND"`
    )
  )

  it.effect("hands its parameters to a function", () =>
    Effect.map(
      handle(App.make({ it: Route.get("/{a}/{b:.*}", ({ params }) => says(`${params.b} ${params.a}`)) }), "GET /x/y/z"),
      ({ text }) => assert.strictEqual(text, "y/z x")
    )
  )

  it.effect("that throws dies, and is answered with 500", () => {
    const throws = Route.get("/", () => {
      throw new Error("no")
    })
    return Effect.map(answer(App.make({ throws }), "GET /"), ({ status }) => assert.strictEqual(status, 500))
  })
})

describe("Route.view", () => {
  const view = Route.view("/{id}", { get: ({ params }) => says(params.id), delete: method, "m-search": method })
  const app = App.make({ view })
  it.effect.each([
    ["GET /7", 200, "7"],
    ["HEAD /7", 200, "7"],
    ["DELETE /7", 200, "DELETE"],
    ["M-SEARCH /7", 200, "M-SEARCH"],
    ["OPTIONS /7", 204, ""],
    ["POST /7", 405, "MethodNotAllowed"]
  ] as const)("answers %s with %i", ([line, status, text]) =>
    Effect.map(answer(app, line), (found) => {
      assert.strictEqual(found.status, status)
      assert.include(found.text, text)
    })
  )

  it.each(["get ", "", "ge t"])("has no method %j", (name) =>
    assert.throws(() => Route.view("/", { [name]: ok }), TypeError, `is no method; write one word`)
  )

  it("fails as any of its methods, and needs what each of them needs", () => {
    const failing = Route.view("/{id}", {
      get: Effect.andThen(Db, ok),
      post: ({ params }) => Effect.andThen(User, Effect.fail(new Taken({ text: params.id }))),
      put: Effect.andThen(Request.current, Effect.fail(new HttpError.Gone()))
    })
    expectTypeOf(failing).toEqualTypeOf<
      Route.Route<
        "/{id}",
        Taken | HttpError.Gone,
        Db | User,
        { readonly params: { readonly id: string } },
        HttpServerResponse
      >
    >()
  })
})

describe("the type of a route", () => {
  const NewUser = Schema.Struct({ name: Schema.String })
  const Saved = Schema.Struct({ id: Schema.FiniteFromString })

  it("has its path, its failures and its needs without the engine's", () => {
    const handler = Effect.andThen(Effect.andThen(Db, Request.current), Effect.fail(new Taken()))
    const route = Route.get("/{a}/{b:\\d{2}}", handler)
    expectTypeOf(route["~E"]).toEqualTypeOf<Taken>()
    expectTypeOf(route["~R"]).toEqualTypeOf<Db>()
    expectTypeOf(route["~In"]).toEqualTypeOf<{ readonly params: { readonly a: string; readonly b: string } }>()
    expectTypeOf(route.path).toEqualTypeOf<"/{a}/{b:\\d{2}}">()
    expectTypeOf(Route.get("/", ok)["~In"]).toEqualTypeOf<{}>()
  })

  it("has parameters of any name where the path is no literal", () => {
    const path: string = "/{id}"
    Route.get(path, ({ params }) => {
      expectTypeOf(params).toEqualTypeOf<{ readonly [name: string]: string }>()
      return ok
    })
  })

  it("described: has what it decodes, what it gives, and the failures of both", () => {
    const route = Route.post(
      "/{org}/users",
      {
        query: Schema.Struct({ dry: Schema.String }),
        body: Body.json(NewUser),
        success: Response.schema(Saved),
        errors: [Taken]
      },
      (input) => {
        expectTypeOf(input).toEqualTypeOf<{
          readonly params: { readonly org: string }
          readonly query: { readonly dry: string }
          readonly body: { readonly name: string }
        }>()
        return Effect.as(Db, { id: 1 })
      }
    )
    expectTypeOf(route["~E"]).toEqualTypeOf<
      | Taken
      | HttpError.BadRequest
      | HttpError.ContentTooLarge
      | HttpError.UnsupportedMediaType
      | HttpError.UnprocessableContent
    >()
    expectTypeOf(route["~R"]).toEqualTypeOf<Db>()
    expectTypeOf(route["~Out"]).toEqualTypeOf<{ readonly id: number }>()
  })

  it("described: fails with BadRequest where it decodes anything but the body, and only there", () => {
    const text = Schema.Struct({ id: Schema.String })
    expectTypeOf(Route.get("/{id}", { params: text }, ok)["~E"]).toEqualTypeOf<HttpError.BadRequest>()
    expectTypeOf(Route.get("/", { query: text }, ok)["~E"]).toEqualTypeOf<HttpError.BadRequest>()
    expectTypeOf(Route.get("/", { headers: text }, ok)["~E"]).toEqualTypeOf<HttpError.BadRequest>()
    expectTypeOf(Route.get("/", { cookies: text }, ok)["~E"]).toEqualTypeOf<HttpError.BadRequest>()
    expectTypeOf(Route.get("/", { query: text, headers: text }, ok)["~E"]).toEqualTypeOf<HttpError.BadRequest>()
    expectTypeOf(Route.get("/{id}", { summary: "", errors: [] }, ok)["~E"]).toEqualTypeOf<never>()
  })

  it("described: needs the services of its schemas", () => {
    const Looked = Schema.String.pipe(
      Schema.decodeTo(Schema.String, {
        decode: { run: undefined },
        encode: { run: undefined }
      } as never)
    ) as unknown as Schema.Codec<string, string, Db, User>
    const query = Schema.Struct({ q: Looked })
    expectTypeOf(Route.get("/", { query }, ok)["~R"]).toEqualTypeOf<Db>()
    expectTypeOf(Route.get("/", { success: Response.schema(Looked) }, Effect.succeed(""))["~R"]).toEqualTypeOf<User>()
  })

  it("described: takes a generator too", () => {
    const route = Route.post(
      "/{id}",
      { body: Body.json(NewUser), errors: [Taken] },
      Effect.fnUntraced(function* ({ params, body }) {
        if (body.name === params.id) return yield* new Taken()
        return Response.text(yield* Db)
      })
    )
    expectTypeOf(route["~R"]).toEqualTypeOf<Db>()
  })

  const mapping: Middleware.Middleware = (handler) => Effect.map(handler, Response.setHeader("x-a", "b"))
  const user = Middleware.provide(User, Effect.andThen(Db, Effect.fail(new HttpError.Unauthorized())))
  const route = Route.get("/{id}", Effect.andThen(User, Effect.fail(new Taken())))

  it("is the same in whatever order policies are applied that do not depend on each other", () => {
    const one = route.pipe(Route.bodyLimit("1 kB"), Route.use(user), Route.use(mapping))
    const other = route.pipe(Route.use(mapping), Route.use(user), Route.bodyLimit("1 kB"))
    expectTypeOf(one).toEqualTypeOf(other)
    expectTypeOf(one).toEqualTypeOf<
      Route.Route<
        "/{id}",
        Taken | HttpError.ContentTooLarge | HttpError.Unauthorized,
        Db,
        { readonly params: { readonly id: string } },
        HttpServerResponse
      >
    >()
  })

  it("an unannotated function that only transforms is a middleware", () => {
    const used = route.pipe(Route.use((handler) => Effect.map(handler, Response.setHeader("x-a", "b"))))
    expectTypeOf(used).toEqualTypeOf(route)
  })

  it("of an app: the unions of its routes, through mounts, hosts and mounted handlers", () => {
    const inner = App.make({ route })
    const app = App.make({
      in: Route.mount("/in", inner),
      host: Route.host("a.test", App.make({ gone: Route.get("/", Effect.fail(new HttpError.Gone())) })),
      old: Route.mountHandler("/old", Effect.andThen(Db, ok))
    })
    expectTypeOf(app["~E"]).toEqualTypeOf<Taken | HttpError.Gone>()
    expectTypeOf(app["~R"]).toEqualTypeOf<User | Db>()
    expectTypeOf(app["~Added"]).toEqualTypeOf<never>()
  })

  it("of an app: middleware leaves the table as it is, and says what it added", () => {
    const app = App.make({ route })
    const used = app.pipe(App.use(user), App.use(Middleware.catch(Taken, () => ok)))
    expectTypeOf(used["~E"]).toEqualTypeOf<HttpError.Unauthorized>()
    expectTypeOf(used["~R"]).toEqualTypeOf<Db>()
    expectTypeOf(used["~Added"]).toEqualTypeOf<HttpError.Unauthorized>()
    expectTypeOf(used.routes).toEqualTypeOf(app.routes)
  })

  it("of an app as a handler: no failures, and the needs", () => {
    expectTypeOf(App.toHandler(App.make({ route }))).toExtend<Handler<never, unknown>>()
    const serve = <E, R, T extends App.Routes, Added>(app: App.Servable<E, R, T, Added>) => App.toHandler(app)
    expectTypeOf(serve(App.make({ route }))).toEqualTypeOf(App.toHandler(App.make({ route })))
  })
})
