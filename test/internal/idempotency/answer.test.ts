/**
 * What is kept of an answer, and what comes back of it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as HttpError from "../../../src/HttpError.ts"
import { symbol } from "../../../src/internal/errors/httpErrorClass.ts"
import * as Answer from "../../../src/internal/idempotency/answer.ts"
import { known } from "../../../src/internal/idempotency/keptError.ts"
import * as Response from "../../../src/Response.ts"

const rules = (classes: Answer.Rules["classes"] = new Map()): Answer.Rules => ({
  isKept: (status) => status < 500,
  limit: 100,
  classes
})

/** Kept, written as JSON, and given again. */
const again = Effect.fnUntraced(function* (
  exit: Exit.Exit<HttpServerResponse, unknown>,
  { from = rules(), to = rules() }: { readonly from?: Answer.Rules; readonly to?: Answer.Rules } = {}
) {
  const kept = yield* Answer.keep(exit, from)
  return kept === undefined ? "nothing" : yield* Effect.exit(Answer.replay(JSON.parse(JSON.stringify(kept)), to))
})

const respondable = (respond: () => Effect.Effect<HttpServerResponse, unknown>) => ({
  [HttpServerRespondable.symbol]: respond
})

describe("nothing is kept", () => {
  const rows: ReadonlyArray<readonly [string, Exit.Exit<HttpServerResponse, unknown>]> = [
    ["of a response that says not now", Exit.succeed(Response.text("a", { status: 503 }))],
    ["of a failure that says not now", Exit.fail(new HttpError.ServiceUnavailable())],
    ["of a failure that knows no response", Exit.fail(new Error("a"))],
    ["of one that cannot make it", Exit.fail(respondable(() => Effect.die(new Error("a"))))],
    ["of a defect", Exit.die(new HttpError.NotFound())],
    ["of an interruption", Exit.interrupt(1)],
    [
      "of a failure beside a defect",
      Exit.failCause(Cause.combine(Cause.fail(new HttpError.NotFound()), Cause.die(new Error("a"))))
    ]
  ]
  for (const [name, exit] of rows) {
    it.effect(name, () => Effect.map(again(exit), (found) => assert.strictEqual(found, "nothing")))
  }
})

describe("a response comes back", () => {
  const rows: ReadonlyArray<readonly [string, Exit.Exit<HttpServerResponse, unknown>]> = [
    ["from a success", Exit.succeed(Response.text("a", { status: 201 }))],
    ["from a failure that is one", Exit.fail(Response.text("a", { status: 201 }))],
    ["from a failure that makes one", Exit.fail(respondable(() => Effect.succeed(Response.text("a", { status: 201 }))))]
  ]
  for (const [name, exit] of rows) {
    it.effect(name, () =>
      Effect.map(again(exit), (found) => {
        const response = (found as Exit.Success<HttpServerResponse>).value
        assert.deepStrictEqual([response.status, response.headers["idempotent-replayed"]], [201, "true"])
      })
    )
  }

  it.effect("without a type where it had none, with a reason phrase where it had one", () =>
    Effect.gen(function* () {
      const bytes = Response.removeHeader(Response.bytes(new Uint8Array([1]), { statusText: "Fine" }), "content-type")
      const found = (yield* again(Exit.succeed(bytes))) as Exit.Success<HttpServerResponse>
      assert.strictEqual(found.value.statusText, "Fine")
    })
  )
})

class Old extends HttpError.define<Old>()("Taken", { status: 409 }, { login: Schema.String }) {}
class New extends HttpError.define<New>()("Taken", { status: 409 }, { login: Schema.Number }) {}

describe("a failure comes back", () => {
  const failure = Effect.fnUntraced(function* (error: HttpError.HttpError, options?: Parameters<typeof again>[1]) {
    const exit = (yield* again(Exit.fail(error), options)) as unknown as Exit.Failure<never, HttpError.HttpError>
    return Cause.squash(exit.cause) as HttpError.HttpError & { readonly _tag: string }
  })

  it.effect("of its class where that is known", () =>
    Effect.gen(function* () {
      const found = yield* failure(new Old({ login: "ann" }), { to: rules(known([Old])) })
      assert.instanceOf(found, Old)
      assert.strictEqual(found.login, "ann")
    })
  )

  it.effect("looking the same where its class is not known, or has changed since", () =>
    Effect.gen(function* () {
      for (const to of [rules(), rules(known([New]))]) {
        const found = yield* failure(new Old({ login: "ann", text: "Taken", headers: { "x-a": "b" } }), { to })
        assert.notInstanceOf(found, Old)
        assert.deepStrictEqual([found._tag, found.status, found.text], ["Taken", 409, "Taken"])
        assert.deepStrictEqual(found[symbol].headers(), { "x-a": "b", "idempotent-replayed": "true" })
        assert.deepStrictEqual(yield* found[symbol].members(), { login: "ann" })
      }
    })
  )

  it.effect("with the header fields of its class, as Retry-After, also where a field has no JSON", () =>
    Effect.gen(function* () {
      const found = yield* failure(new HttpError.MethodNotAllowed({ method: "PUT", allowed: ["GET"] }))
      assert.strictEqual(found[symbol].headers().allow, "GET")
      const limited = { ...rules(), isKept: () => true }
      const later = yield* failure(new HttpError.TooManyRequests({ retryAfter: "5 seconds" }), { from: limited })
      assert.deepStrictEqual([later._tag, later[symbol].headers()["retry-after"]], ["TooManyRequests", "5"])
    })
  )
})
