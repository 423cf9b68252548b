/**
 * Defects outside of a handler: none is silent, and no client waits for ever.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import type { Engine, Handler } from "../../src/Handler.ts"
import * as HttpError from "../../src/HttpError.ts"
import type { Middleware as AnyMiddleware } from "../../src/Middleware.ts"
import * as Middleware from "../../src/Middleware.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { both, get, post, until } from "./both.ts"

const ok = Effect.succeed(Response.text("ok"))
const died = "Error The handler died (GET /it)"
const boom = new Error("secret")

const appOf = <E>(handler: Handler<E, Engine>) => App.make({ it: Route.get("/it", handler) })

describe("a defect before the answer is a 500 that is logged", () => {
  const inside = (middleware: AnyMiddleware) => appOf(ok).pipe(App.use(middleware))
  const rows = {
    "in a change of every answer": inside(Middleware.onResponse(() => Effect.die(boom))),
    "thrown by a change of every answer": inside(
      Middleware.onResponse(() => {
        throw boom
      })
    ),
    "in what runs before": inside(Middleware.before(Effect.die(boom))),
    "in a pre-response handler": appOf(
      Effect.andThen(
        HttpEffect.appendPreResponseHandler(() => Effect.die(boom)),
        ok
      )
    ),
    "in a failure's headers": appOf(
      Effect.suspend(() => Effect.fail(new HttpError.NotFound({ headers: { x: "a\r\nb" } })))
    ),
    "in a renderer": App.make({ it: Route.get("/it", Effect.die(boom)) }, { errorResponse: () => Effect.die(boom) })
  }
  for (const [name, app] of Object.entries(rows)) {
    both(name, app, ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/it"))
        const answer = yield* wire.answer()
        assert.deepStrictEqual([answer.status, answer.headers["content-type"]], [500, "application/problem+json"])
        assert.notInclude(answer.body.toString(), "secret")
        assert.include(logs.join("\n"), "Error ")
        yield* wire.send(get("/it"))
        assert.strictEqual((yield* wire.answer()).status, 500)
      })
    )
  }
})

describe("a defect after the answer is logged", () => {
  const rows = {
    "in a finalizer of the request": appOf(
      Effect.andThen(
        Effect.addFinalizer(() => Effect.die(boom)),
        ok
      )
    ),
    "in a finalizer, later": appOf(
      Effect.andThen(
        Effect.addFinalizer(() => Effect.andThen(Effect.yieldNow, Effect.die(boom))),
        Effect.andThen(Effect.yieldNow, ok)
      )
    ),
    "in a finalizer of a stream's request": appOf(
      Effect.as(
        Effect.addFinalizer(() => Effect.die(boom)),
        Response.stream(Stream.make("o", "k"))
      )
    )
  }
  for (const [name, app] of Object.entries(rows)) {
    both(name, app, ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/it"))
        const answer = yield* wire.answer()
        assert.deepStrictEqual([answer.status, answer.body.toString()], [200, "ok"])
        yield* until(() => logs.length > 0)
        assert.deepStrictEqual(logs, [died])
        yield* wire.send(get("/it"))
        assert.strictEqual((yield* wire.answer()).status, 200)
      })
    )
  }
})

describe("the renderer of an app", () => {
  const app = App.make(
    {
      it: Route.get("/it", ok),
      echo: Route.post(
        "/echo",
        Effect.map(Body.bytes(), (bytes) => Response.bytes(bytes))
      )
    },
    { errorResponse: ({ error }) => Effect.succeed(Response.text(`own ${error.status}`, { status: error.status })) }
  )
  const rows: ReadonlyArray<readonly [name: string, bytes: string, body: string]> = [
    ["a path that is unknown", get("/unknown"), "own 404"],
    ["another method", post("/it", ""), "own 405"],
    ["a head that is refused", "GET /it HTTP/1.1\r\n\r\n", "own 400"],
    ["a version that is not spoken", "GET /it HTTP/2.0\r\nHost: a\r\n\r\n", "own 505"],
    ["what is no HTTP", "\0", "own 400"],
    ["a head that is too large", get("/it", `x: ${"y".repeat(20_000)}\r\n`), "own 431"],
    ["a body that is too large", post("/echo", "x".repeat(1_048_577)), "own 413"],
    ["an unknown expectation", get("/it", "Expect: x\r\n"), "own 417"],
    ["CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "own 405"]
  ]
  for (const [name, bytes, body] of rows) {
    both(`renders ${name}`, app, ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(bytes)
        assert.strictEqual((yield* wire.answer()).body.toString(), body)
      })
    )
  }

  const dying = App.make({ it: Route.get("/it", ok) }, { errorResponse: () => Effect.die(boom) })
  both("that dies is replaced, for what is no HTTP too, and that is logged", dying, ({ logs, wire }) =>
    Effect.gen(function* () {
      yield* wire.send("\0")
      const answer = yield* wire.answer()
      assert.deepStrictEqual([answer.status, answer.headers["content-type"]], [500, "application/problem+json"])
      assert.deepStrictEqual(logs, ["Error The error response died"])
    })
  )

  const splitting = App.make(
    { it: Route.get("/it", ok) },
    { errorResponse: () => Effect.succeed(HttpServerResponse.text("", { headers: { x: "a\r\nX-Evil: 1" } })) }
  )
  both("cannot split what is written without a request", splitting, ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send("\0")
      assert.notInclude(yield* wire.closed, "Evil")
    })
  )
})
