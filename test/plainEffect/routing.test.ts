/**
 * Routing, where plain Effect 4.1 answers wrongly and effect-web does not.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as App from "../../src/App.ts"
import type * as Middleware from "../../src/Middleware.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { get, post } from "../server/both.ts"
import { ours, plain, quiet } from "./servers.ts"

const text = (body: string) => Effect.succeed(Response.text(body))
const head = (path: string): string => `HEAD ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
const options = "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n"

it.live("a method that no route takes is 404 there, and 405 with Allow here", () =>
  Effect.gen(function* () {
    const there = yield* plain(HttpRouter.serve(HttpRouter.add("GET", "/", HttpServerResponse.text("home")), quiet))
    const missed = yield* there.ask(post("/", ""))
    assert.deepStrictEqual([missed.status, missed.headers.allow], [404, undefined])

    const here = yield* ours(App.make({ home: Route.get("/", text("home")) }))
    const found = yield* here.ask(post("/", ""))
    assert.deepStrictEqual([found.status, found.headers.allow], [405, "GET, HEAD, OPTIONS"])
  })
)

it.live("OPTIONS is 404 there, and 204 with Allow here", () =>
  Effect.gen(function* () {
    const there = yield* plain(HttpRouter.serve(HttpRouter.add("GET", "/", HttpServerResponse.text("home")), quiet))
    const missed = yield* there.ask(options)
    assert.deepStrictEqual([missed.status, missed.headers.allow], [404, undefined])

    const here = yield* ours(App.make({ home: Route.get("/", text("home")) }))
    const found = yield* here.ask(options)
    assert.deepStrictEqual([found.status, found.headers.allow], [204, "GET, HEAD, OPTIONS"])
  })
)

it.live("HEAD of a route goes to the catch-all beside it there, and to the route here", () =>
  Effect.gen(function* () {
    const routes = Layer.merge(
      HttpRouter.add("GET", "/", HttpServerResponse.text("home")),
      HttpRouter.add("*", "/*", HttpServerResponse.text("nothing here", { status: 404 }))
    )
    const there = yield* plain(HttpRouter.serve(routes, quiet))
    assert.strictEqual((yield* there.ask(get("/"))).status, 200)
    const lost = yield* there.ask(head("/"), "HEAD")
    assert.deepStrictEqual([lost.status, lost.headers["content-length"]], [404, "12"])

    const nothing = Effect.succeed(Response.text("nothing here", { status: 404 }))
    const here = yield* ours(App.make({ home: Route.get("/", text("home")), rest: Route.any("/{rest:.*}", nothing) }))
    assert.strictEqual((yield* here.ask(get("/x"))).body.toString(), "nothing here")
    const found = yield* here.ask(head("/"), "HEAD")
    assert.deepStrictEqual([found.status, found.headers["content-length"]], [200, "4"])
  })
)

it.live(
  "routes and global middleware of a nested app leak into the outer one there, and stay below its path here",
  () =>
    Effect.gen(function* () {
      const marked = HttpRouter.middleware(
        (handler) => Effect.map(handler, HttpServerResponse.setHeader("x-inner", "yes")),
        {
          global: true
        }
      )
      const inner = Layer.merge(HttpRouter.add("GET", "/a", HttpServerResponse.text("inner")), marked)
      const nested = HttpRouter.use(
        Effect.fnUntraced(function* (router) {
          const handler = yield* Effect.scoped(HttpRouter.toHttpEffect(inner))
          yield* router.add("*", "/inner/*", handler)
        })
      )
      const outer = HttpRouter.add("GET", "/own", HttpServerResponse.text("own"))
      const there = yield* plain(HttpRouter.serve(Layer.merge(outer, nested), quiet))
      const [leaked, touched] = [yield* there.ask(get("/a")), yield* there.ask(get("/own"))]
      assert.deepStrictEqual([leaked.status, leaked.body.toString(), touched.headers["x-inner"]], [200, "inner", "yes"])

      const mark: Middleware.Middleware = (handler) => Effect.map(handler, Response.setHeader("x-inner", "yes"))
      const app = App.make({ a: Route.get("/a", text("inner")) }).pipe(App.use(mark))
      for (const entry of [Route.mountHandler("/inner", inner), Route.mount("/inner", app)]) {
        const here = yield* ours(App.make({ own: Route.get("/own", text("own")), inner: entry }))
        const [missed, own, found] = [
          yield* here.ask(get("/a")),
          yield* here.ask(get("/own")),
          yield* here.ask(get("/inner/a"))
        ]
        assert.deepStrictEqual([missed.status, missed.headers["x-inner"]], [404, undefined])
        assert.deepStrictEqual([own.status, own.headers["x-inner"]], [200, undefined])
        assert.deepStrictEqual([found.status, found.headers["x-inner"], found.body.toString()], [200, "yes", "inner"])
      }
    })
)
