/**
 * What a body is refused for: before it is read, while it is read, and after.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { HttpServerError, InternalError, RequestParseError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Body from "../../../src/Body.ts"
import * as HttpError from "../../../src/HttpError.ts"
import { failed, request, type Sent, sent } from "../../bodies.ts"

const User = Schema.Struct({ name: Schema.String, born: Schema.optionalKey(Schema.Date) })
const user = Body.json(User)
const login = Body.form(Schema.Struct({ login: Schema.String }))
const json = "application/json"
const urlencoded = "application/x-www-form-urlencoded"
const ann = '{"name":"Ann"}'

describe("a body is refused", () => {
  const limited = Body.json(User, { limit: "13 B" })
  const rows: ReadonlyArray<
    readonly [
      string,
      Effect.Effect<unknown, HttpError.HttpError, HttpServerRequest.HttpServerRequest>,
      Sent,
      number,
      string
    ]
  > = [
    ["without a Content-Type", user, [undefined, ann], 415, "Expected application/json, got no valid Content-Type"],
    ["with an invalid Content-Type", user, ["json", ann], 415, "Expected application/json, got no valid Content-Type"],
    ["with another Content-Type", user, ["text/plain", ann], 415, "Expected application/json, got text/plain"],
    [
      "in multipart",
      login,
      ["multipart/form-data; boundary=x", "--x--"],
      415,
      "Expected application/x-www-form-urlencoded, got multipart/form-data"
    ],
    [
      "in an unknown charset",
      user,
      [`${json}; charset=klingon`, ann],
      415,
      "The charset of Content-Type is not supported"
    ],
    [
      "of bytes that are not in the charset",
      user,
      [json, Uint8Array.of(0x22, 0xff, 0x22)],
      415,
      "The body is not utf-8"
    ],
    [
      "as text of bytes that are not in the charset",
      Body.text(),
      [undefined, Uint8Array.of(0xff)],
      415,
      "The body is not utf-8"
    ],
    [
      "as a form of bytes that are not in the charset",
      login,
      [urlencoded, Uint8Array.of(0xff)],
      415,
      "The body is not utf-8"
    ],
    [
      "as a form of escapes that are not in the charset",
      login,
      [`${urlencoded}; charset=euc-jp`, "a=%FF"],
      415,
      "The body is not euc-jp"
    ],
    ["when it is empty", user, [json, undefined], 400, "The body is empty"],
    ["when it is no JSON", user, [json, '{"name":\n tru}'], 400, "Invalid JSON at position 10 (line 2, column 2)"],
    [
      "when its JSON ends too early",
      user,
      [json, '{"name":'],
      400,
      "The JSON ends too early, at position 8 (line 1, column 9)"
    ],
    [
      "when it does not fit the schema",
      user,
      [json, '{"name":1,"born":"x"}'],
      422,
      "Invalid body: name: Expected string (and 1 more)"
    ],
    ["when it is no object", user, [json, "null"], 422, "Invalid body: Expected object"],
    [
      "when a form does not fit the schema",
      login,
      [urlencoded, "login=a&login=b&password=secretly"],
      422,
      "Invalid body: login: Expected string"
    ],
    [
      "by its announced length",
      limited,
      [json, ann, { "content-length": "14" }],
      413,
      "The body is larger than 13 bytes"
    ],
    ["by what is read of it", limited, [json, ann], 413, "The body is larger than 13 bytes"]
  ]
  for (const [name, effect, from, status, text] of rows) {
    it.effect(name, () => Effect.map(failed(effect, from), (found) => assert.deepStrictEqual(found, [status, text])))
  }

  it.effect("unread, when its announced length is above the limit", () => {
    let pulled = false
    const pull = () => {
      pulled = true
    }
    const body = new ReadableStream({ pull }, { highWaterMark: 0 })
    return Effect.map(failed(Body.bytes({ limit: 1 }), [undefined, body, { "content-length": "2" }]), ([status]) =>
      assert.deepStrictEqual([status, pulled], [413, false])
    )
  })

  it.effect("with all that a 413, a 415 and a 422 have to say", () =>
    Effect.gen(function* () {
      const large = yield* Effect.flip(sent(limited, [json, ann]))
      assert.deepInclude(large, { _tag: "ContentTooLarge", limit: 13 })
      const type = yield* Effect.flip(sent(user, ["text/plain", ann]))
      assert.deepInclude(type, { _tag: "UnsupportedMediaType", accepts: [json] })
      const wrong = yield* Effect.flip(sent(user, [json, '{"name":1,"born":"x"}']))
      assert.deepStrictEqual(
        wrong._tag === "UnprocessableContent" ? wrong.issues?.map((issue) => ({ ...issue })) : wrong,
        [
          { in: "body", path: ["name"], message: "Expected string" },
          { in: "body", path: ["born"], message: "Expected a valid Date" }
        ]
      )
    })
  )
})

describe("the limit", () => {
  const under = (limit: bigint) => Effect.provideService(HttpServerRequest.MaxBodySize, limit as never)
  it.effect("is that of the server without an option", () =>
    Effect.map(failed(Body.text().pipe(under(2n)), [undefined, "abc"]), ([status]) => assert.strictEqual(status, 413))
  )
  it.effect("of the option comes first", () =>
    Effect.map(sent(Body.text({ limit: "1 kB" }).pipe(under(2n)), [undefined, "abc"]), (text) =>
      assert.strictEqual(text, "abc")
    )
  )
  it.effect("holds for a body that was read before with a higher one", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* Body.text({ limit: 3 }), "abc")
      assert.strictEqual((yield* Effect.flip(Body.text({ limit: 2 }))).status, 413)
    }).pipe((effect) => sent(effect, [undefined, "abc"]))
  )
  it("is checked when declared", () => {
    assert.throws(() => Body.text({ limit: "much" as never }), '"much" is no size')
    assert.deepStrictEqual(Body.text({ limit: "1 kB" })["~body"].limit, 1000n as never)
  })
})

describe("what an adapter fails with", () => {
  const at = request([undefined, undefined])
  const parse = (fields: object) => new HttpServerError({ reason: new RequestParseError({ request: at, ...fields }) })
  const timeout = new HttpError.RequestTimeout({})
  const failing = (error: HttpServerError) =>
    Object.create(at, {
      arrayBuffer: { value: Effect.fail(error) },
      stream: { value: Stream.fail(error) },
      source: { value: {} }
    })
  const rows: ReadonlyArray<readonly [string, HttpServerError, readonly [number, string | undefined]]> = [
    ["too large is a 413", parse({ reason: "BodyTooLarge" }), [413, undefined]],
    [
      "broken is a 400 that hides the cause",
      parse({ cause: new Error("ECONNRESET") }),
      [400, "The body cannot be read to its end"]
    ],
    ["an HTTP error goes through", parse({ cause: timeout }), [408, undefined]]
  ]
  for (const [name, error, wanted] of rows) {
    const reads = { whole: Effect.asVoid(Body.text()), "as a stream": Stream.runDrain(Body.stream()) }
    for (const [how, read] of Object.entries(reads)) {
      it.effect(`${name}, ${how}`, () =>
        Effect.map(
          Effect.flip(Effect.provideService(read, HttpServerRequest.HttpServerRequest, failing(error))),
          (found) => assert.deepStrictEqual([found.status, found.text], wanted)
        )
      )
    }
  }
  it.effect("its own fault is a defect", () => {
    const error = new HttpServerError({ reason: new InternalError({ request: at }) })
    const exit = Effect.exit(Effect.provideService(Body.text(), HttpServerRequest.HttpServerRequest, failing(error)))
    return Effect.map(exit, (exit) => assert.strictEqual(Exit.isFailure(exit) && Cause.hasDies(exit.cause), true))
  })
})
