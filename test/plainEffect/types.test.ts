/**
 * Mistakes that compile with plain Effect 4.1 and do not with effect-web, with what they do at run time.
 */
import { assert, expectTypeOf, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServer from "effect/http/HttpServer"
import type { ServeError } from "effect/http/HttpServerError"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as App from "../../src/App.ts"
import type * as Handler from "../../src/Handler.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Server from "../../src/server/Server.ts"
import { get } from "../server/both.ts"
import { ours, plain, quiet } from "./servers.ts"

type Whole = Layer.Layer<never, never, HttpServer.HttpServer>

class Db extends Context.Service<Db, { readonly name: string }>()("app/Db") {}
const db = Layer.succeed(Db, { name: "Ada" })
const asksDb = Effect.map(Db, ({ name }) => HttpServerResponse.text(name))

class DbError extends Data.TaggedError("DbError") {}
const fails: Handler.Handler<DbError> = Effect.fail(new DbError())

it.live("a service provided to the layer of a route is not there at run time there, and here it is", () =>
  Effect.gen(function* () {
    const route = HttpRouter.add("GET", "/", asksDb).pipe(Layer.provide(db))
    expectTypeOf(HttpRouter.serve(route)).toEqualTypeOf<Layer.Layer<never, never, HttpServer.HttpServer | Db>>()
    const annotated: Whole = HttpRouter.serve(route, quiet)
    assert.strictEqual((yield* (yield* plain(annotated)).ask(get("/"))).status, 500)

    const app = App.make({ home: Route.get("/", asksDb) })
    const layer = Layer.provide(Server.layer(app), db)
    expectTypeOf(layer).toEqualTypeOf<Layer.Layer<Server.Server, ServeError>>()
    const here = yield* ours(app).pipe(Effect.provide(db))
    assert.strictEqual((yield* here.ask(get("/"))).body.toString(), "Ada")
  })
)

it("a missing service behind an annotated Layer compiles there, and here it does not", () => {
  const there: Whole = HttpRouter.serve(HttpRouter.add("GET", "/", asksDb))
  const app = App.make({ home: Route.get("/", asksDb) })
  // @ts-expect-error Type 'Db' is not assignable to type 'never'
  const here: Layer.Layer<Server.Server, ServeError> = Server.layer(app)
  assert.deepStrictEqual([there, here].map(Layer.isLayer), [true, true])
})

it.live("a failure that nobody answers compiles there and is a 500, and here it does not compile", () =>
  Effect.gen(function* () {
    const route = HttpRouter.add("GET", "/", fails)
    expectTypeOf(HttpRouter.serve(route)).toEqualTypeOf<Whole>()
    const there = yield* plain(HttpRouter.serve(route, quiet))
    assert.strictEqual((yield* there.ask(get("/"))).status, 500)

    const app = App.make({ home: Route.get("/", fails) })
    // @ts-expect-error "DbError has no response: catch it, or define it with HttpError.define"
    assert.isTrue(Layer.isLayer(Server.layer(app)))
  })
)

it("a failure that nobody answers compiles behind an annotated Layer there, and here it does not", () => {
  const there: Whole = HttpRouter.serve(HttpRouter.add("GET", "/", fails))
  const app = App.make({ home: Route.get("/", fails) })
  // @ts-expect-error "DbError has no response: catch it, or define it with HttpError.define"
  const here: Layer.Layer<Server.Server, ServeError> = Server.layer(app)
  assert.deepStrictEqual([there, here].map(Layer.isLayer), [true, true])
})

it("failures and needs that are `any` compile there, and here they do not", () => {
  // biome-ignore lint/suspicious/noExplicitAny: the mistake
  const unknown = Effect.succeed(Response.text("a")) as Handler.Handler<any, any>
  const there: Whole = HttpRouter.serve(HttpRouter.add("GET", "/", unknown))
  const app = App.make({ home: Route.get("/", unknown) })
  // @ts-expect-error "The failures of this app are `any`"
  assert.deepStrictEqual([there, Server.layer(app)].map(Layer.isLayer), [true, true])
})
