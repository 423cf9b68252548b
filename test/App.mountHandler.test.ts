import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Etag from "effect/http/Etag"
import * as HttpPlatform from "effect/http/HttpPlatform"
import * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerError } from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as App from "../src/App.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Middleware from "../src/Middleware.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { answer, handle, says, where } from "./apps.ts"

const platform = Layer.provide(HttpPlatform.layer, [Etag.layer, FileSystem.layerNoop({})])

const url = Effect.map(HttpServerRequest, (request) => Response.text(`${request.method} ${request.url}`))

describe("Route.mountHandler", () => {
  describe("of a handler", () => {
    const app = App.make({
      legacy: Route.mountHandler("/legacy/", url),
      deep: Route.mountHandler("/a/{b:[^/]+}/c", url),
      fixed: Route.get("/legacy/own", says("own")),
      sub: Route.mount("/sub", App.make({ old: Route.mountHandler("/old", url), rest: Route.mountHandler("/", url) }))
    })
    it.effect.each([
      ["GET /legacy", "GET /"],
      ["GET /legacy/", "GET /"],
      ["GET /legacy?a=1", "GET /?a=1"],
      ["POST /legacy/x/y?a=/b", "POST /x/y?a=/b"],
      ["GET /legacy/x%2Fy%20z", "GET /x%2Fy%20z"],
      ["GET /legacy//x", "GET //x"],
      ["GET /legacy/%0A", "GET /%0A"],
      ["GET /%6Cegacy/x", "GET /x"],
      ["GET /legacy/own", "own"],
      ["GET /a/x/c/d", "GET /d"],
      ["GET /a/x%2Fy/c/d/e", "GET /d/e"],
      ["GET /a/x/c", "GET /"],
      ["GET /sub/old/x", "GET /x"],
      ["GET /sub/new/x", "GET /new/x"],
      ["GET /sub", "GET /"],
      ["OPTIONS /legacy", "OPTIONS /"],
      ["HEAD /legacy/x", "HEAD /x"]
    ] as const)("%s arrives as %s", ([line, text]) =>
      Effect.map(handle(app, line), (found) => assert.strictEqual(found.text, text))
    )

    it.effect.each(["GET /legac", "GET /legacyx", "GET /Legacy"])("%s does not arrive", (line) =>
      Effect.map(answer(app, line), ({ status }) => assert.strictEqual(status, 404))
    )

    it.effect("has its prefix as its pattern, and the parameters of the prefix only", () => {
      const app = App.make({ it: Route.mountHandler("/{org}/old", where) })
      return Effect.map(handle(app, "GET /acme/old/x"), ({ text }) =>
        assert.strictEqual(text, `it /{org}/old {"org":"acme"}`)
      )
    })

    it.effect("its failures pass through the middleware of the app", () => {
      const fails = Effect.fail(new HttpError.Conflict())
      const app = App.make({ it: Route.mountHandler("/it", fails) }).pipe(
        App.use(Middleware.catch(HttpError.Conflict, () => says("caught")))
      )
      return Effect.map(handle(app, "GET /it/x"), ({ text }) => assert.strictEqual(text, "caught"))
    })

    it("carries its path, its failures and its needs", () => {
      class Db extends Context.Service<Db, string>()("Db") {}
      const handler = Effect.andThen(Effect.andThen(Db, HttpServerRequest), Effect.fail(new HttpError.Conflict()))
      const entry = Route.mountHandler("/{org}", handler)
      expectTypeOf(entry).toEqualTypeOf<Route.MountedHandler<"/{org}", HttpError.Conflict, Db>>()
    })
  })

  const tag = (name: string) =>
    HttpRouter.middleware((handler) => Effect.map(handler, HttpServerResponse.setHeader(name, "yes")), { global: true })
  const one = Layer.merge(HttpRouter.add("GET", "/a", HttpServerResponse.text("one")), tag("x-one"))
  const two = Layer.merge(HttpRouter.add("GET", "/b", HttpServerResponse.text("two")), tag("x-two"))

  describe("of a layer of HttpRouter", () => {
    const app = App.make({ one: Route.mountHandler("/1", one), two: Route.mountHandler("/2", two) })

    it.effect.each([
      ["GET /1/a", "one", true, false],
      ["GET /2/b", "two", false, true]
    ] as const)("%s is answered by its own routes in its own middleware", ([line, text, isOne, isTwo]) =>
      Effect.map(answer(app, line), (found) => {
        assert.strictEqual(found.text, text)
        assert.deepStrictEqual(
          [Object.hasOwn(found.headers, "x-one"), Object.hasOwn(found.headers, "x-two")],
          [isOne, isTwo]
        )
      })
    )

    it.effect.each(["GET /1/b", "GET /2/a", "GET /a", "GET /b", "GET /1"])("%s is 404: no route leaks", (line) =>
      Effect.map(answer(app, line), ({ status }) => assert.strictEqual(status, 404))
    )

    it.effect("may be mounted twice", () => {
      const twice = App.make({ v1: Route.mountHandler("/v1", one), v2: Route.mountHandler("/v2", one) })
      return Effect.gen(function* () {
        assert.strictEqual((yield* answer(twice, "GET /v1/a")).text, "one")
        assert.strictEqual((yield* answer(twice, "GET /v2/a")).text, "one")
      })
    })

    it.effect("reads the parameters of its own routes", () => {
      const layer = HttpRouter.add(
        "GET",
        "/users/:id",
        Effect.map(HttpRouter.params, (params) => HttpServerResponse.text(JSON.stringify(params)))
      )
      const app = App.make({ it: Route.mountHandler("/{org}/old", layer) })
      return Effect.map(answer(app, "GET /acme/old/users/7"), ({ text }) => assert.strictEqual(text, `{"id":"7"}`))
    })

    it("carries the failures and the needs of its routes, and those of building it", () => {
      class Db extends Context.Service<Db, string>()("Db") {}
      class Pool extends Context.Service<Pool, string>()("Pool") {}
      const handler = Effect.andThen(Db, Effect.fail(new HttpError.Conflict()))
      const layer = HttpRouter.use((router) => Effect.andThen(Pool, router.add("GET", "/a", handler)))
      expectTypeOf(Route.mountHandler("/x", layer)["~E"]).toEqualTypeOf<HttpError.Conflict>()
      expectTypeOf(Route.mountHandler("/x", layer)["~R"]).toEqualTypeOf<Db | Pool>()
    })
  })

  describe("inside a surrounding HttpRouter", () => {
    type Routes =
      | HttpRouter.HttpRouter
      | HttpRouter.Request<"Error", HttpServerError>
      | HttpRouter.Request<"Requires", HttpPlatform.HttpPlatform>
    const ask = (layer: Layer.Layer<never, never, Routes>) =>
      Effect.gen(function* () {
        const { handler } = yield* Effect.acquireRelease(
          Effect.sync(() => HttpRouter.toWebHandler(Layer.merge(layer, platform), { disableLogger: true })),
          ({ dispose }) => Effect.promise(dispose)
        )
        return (path: string) =>
          Effect.map(
            Effect.promise(() => handler(new Request(`http://app.test${path}`))),
            (response) => ({ status: response.status, one: response.headers.get("x-one") })
          )
      })
    const own = HttpRouter.add("GET", "/own", HttpServerResponse.text("own"))

    it.effect("the routes and the middleware of plain HttpRouter.toHttpEffect leak", () =>
      Effect.gen(function* () {
        const nested = HttpRouter.use(
          Effect.fnUntraced(function* (router) {
            const handler = yield* Effect.scoped(HttpRouter.toHttpEffect(one))
            yield* router.add("*", "/1/*", handler)
          })
        )
        const get = yield* ask(Layer.merge(own, nested))
        assert.deepStrictEqual(yield* get("/a"), { status: 200, one: "yes" })
        assert.deepStrictEqual(yield* get("/own"), { status: 200, one: "yes" })
      })
    )

    it.effect("those of a mounted layer do not", () =>
      Effect.gen(function* () {
        const app = App.make({ one: Route.mountHandler("/1", one), two: Route.mountHandler("/2", two) })
        const nested = HttpRouter.use((router) =>
          router.addAll([
            HttpRouter.route("GET", "/1/*", App.toHandler(app)),
            HttpRouter.route("GET", "/2/*", App.toHandler(app))
          ])
        )
        const get = yield* ask(Layer.merge(own, nested))
        assert.deepStrictEqual(yield* get("/a"), { status: 404, one: null })
        assert.deepStrictEqual(yield* get("/own"), { status: 200, one: null })
        assert.deepStrictEqual(yield* get("/1/a"), { status: 200, one: "yes" })
        assert.deepStrictEqual(yield* get("/2/b"), { status: 200, one: null })
        assert.deepStrictEqual(yield* get("/2/a"), { status: 404, one: null })
      })
    )
  })

  describe("of a layer of HttpApi", () => {
    class Missing extends Schema.TaggedError<Missing>()("Missing", { id: Schema.Number }, { httpApiStatus: 404 }) {}
    const api = HttpApi.make("api").add(
      HttpApiGroup.make("users").add(
        HttpApiEndpoint.get("one", "/users/:id", {
          params: { id: Schema.FiniteFromString },
          success: Schema.Struct({ id: Schema.Number }),
          error: Missing
        })
      )
    )
    const live = HttpApiBuilder.layer(api).pipe(
      Layer.provide(
        HttpApiBuilder.group(api, "users", (handlers) =>
          handlers.handle("one", ({ params }) =>
            params.id === 7 ? Effect.succeed(params) : Effect.fail(new Missing(params))
          )
        )
      ),
      Layer.provide([Etag.layer, Path.layer, FileSystem.layerNoop({})]),
      Layer.provide(platform)
    )
    const app = App.make({ api: Route.mountHandler("/api", live), one: Route.mountHandler("/1", one) })

    it.effect.each([
      ["GET /api/users/7", 200, `{"id":7}`],
      ["GET /api/users/8", 404, `{"_tag":"Missing","id":8}`],
      ["GET /api/users/x", 400, ""],
      ["GET /1/users/7", 404, "NotFound"],
      ["GET /users/7", 404, "NotFound"]
    ] as const)("%s is %i", ([line, status, text]) =>
      Effect.map(answer(app, line), (found) => {
        assert.strictEqual(found.status, status)
        assert.include(found.text, text)
      })
    )
  })
})
