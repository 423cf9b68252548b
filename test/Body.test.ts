/**
 * Bodies decoded, whole and as a stream.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Body from "../src/Body.ts"
import { failed, type Sent, sent } from "./bodies.ts"

const User = Schema.Struct({ name: Schema.String, born: Schema.optionalKey(Schema.Date) })
const user = Body.json(User)
const Login = Schema.Struct({
  login: Schema.String,
  password: Schema.Redacted(Schema.String.check(Schema.isMinLength(8))),
  age: Schema.optionalKey(Schema.Int),
  tag: Schema.optionalKey(Schema.Array(Schema.String))
})
const login = Body.form(Login)
const json = "application/json"
const urlencoded = "application/x-www-form-urlencoded"
const ann = '{"name":"Ann"}'

describe("a body decodes", () => {
  const rows: ReadonlyArray<
    readonly [string, Effect.Effect<unknown, unknown, HttpServerRequest.HttpServerRequest>, Sent, unknown]
  > = [
    ["JSON", user, [json, ann], { name: "Ann" }],
    ["JSON of another kind", user, ["application/vnd.api+json; charset=UTF-8", ann], { name: "Ann" }],
    [
      "JSON of values that have no JSON",
      user,
      [json, '{"name":"Ann","born":"2000-01-01T00:00:00.000Z"}'],
      { name: "Ann", born: new Date(Date.UTC(2000)) }
    ],
    ["JSON with a byte order mark", user, [json, `\ufeff${ann}`], { name: "Ann" }],
    [
      "JSON in another charset",
      user,
      [`${json}; charset=latin1`, Uint8Array.from([...'{"name":"\xe9"}'].map((c) => c.charCodeAt(0)))],
      { name: "é" }
    ],
    ["JSON of any type when that is said", Body.json(User, { contentType: "any" }), [undefined, ann], { name: "Ann" }],
    [
      "JSON at exactly the limit",
      Body.json(User, { limit: 14 }),
      [json, ann, { "content-length": "14" }],
      { name: "Ann" }
    ],
    [
      "a form",
      login,
      [urlencoded, "login=a+b&password=%70assword&age=3"],
      { login: "a b", password: Redacted.make("password"), age: 3 }
    ],
    [
      "a form with one value where several may be",
      Body.form(Schema.Struct({ tag: Schema.Array(Schema.String) })),
      [urlencoded, "tag=a"],
      { tag: ["a"] }
    ],
    [
      "a form with several values",
      Body.form(Schema.Struct({ tag: Schema.Array(Schema.Int) })),
      [urlencoded, "tag=1&x=&tag=2"],
      { tag: [1, 2] }
    ],
    [
      "a form with blank values",
      Body.form(Schema.Struct({ a: Schema.String, b: Schema.String })),
      [urlencoded, "a=&b"],
      { a: "", b: "" }
    ],
    [
      "a form in another charset",
      Body.form(Schema.Struct({ a: Schema.String, é: Schema.String })),
      [`${urlencoded}; charset=latin1`, Uint8Array.from([..."a=%E9+\xe9&\xe9=1&&x"].map((c) => c.charCodeAt(0)))],
      { a: "é é", é: "1" }
    ],
    ["text", Body.text(), ["text/plain", "é"], "é"],
    ["text of any type", Body.text(), [undefined, "é"], "é"],
    ["text in another charset", Body.text(), ["text/plain; charset=utf-16le", Uint8Array.of(0xe9, 0)], "é"],
    ["no text", Body.text(), ["text/plain", undefined], ""],
    ["bytes", Body.bytes(), [undefined, Uint8Array.of(0, 255)], Uint8Array.of(0, 255)],
    [
      "bytes that claim a strange charset",
      Body.bytes(),
      ["text/plain; charset=klingon", Uint8Array.of(0)],
      Uint8Array.of(0)
    ],
    ["bytes at exactly the limit", Body.bytes({ limit: 2 }), [undefined, "ab"], Uint8Array.of(97, 98)]
  ]
  for (const [name, effect, from, wanted] of rows) {
    it.effect(name, () => Effect.map(sent(effect, from), (found) => assert.deepStrictEqual(found, wanted)))
  }
})

describe("a stream", () => {
  const collect = (options?: Body.Options) =>
    Effect.map(Stream.runCollect(Stream.decodeText(Body.stream(options))), (chunks) => chunks.join(""))
  it.effect("gives the body", () =>
    Effect.map(sent(collect(), [undefined, "abc"]), (text) => assert.strictEqual(text, "abc"))
  )
  it.effect("gives nothing without a body", () =>
    Effect.map(sent(collect(), [undefined, undefined]), (text) => assert.strictEqual(text, ""))
  )
  it.effect("gives exactly the limit", () =>
    Effect.map(sent(collect({ limit: 3 }), [undefined, "abc"]), (text) => assert.strictEqual(text, "abc"))
  )
  it.effect("ends above the limit", () =>
    Effect.map(failed(collect({ limit: 2 }), [undefined, "abc"]), (found) =>
      assert.deepStrictEqual(found, [413, "The body is larger than 2 bytes"])
    )
  )
  it.effect("does not begin when more is announced", () =>
    Effect.map(failed(collect({ limit: 2 }), [undefined, "abc", { "content-length": "3" }]), ([status]) =>
      assert.strictEqual(status, 413)
    )
  )
})

it.effect("a second read gets the same value", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(yield* user, yield* user)
    assert.strictEqual(yield* Body.text(), ann)
  }).pipe((effect) => sent(effect, [json, ann]))
)

it.effect("a large JSON body is told its first issue only", () =>
  Effect.gen(function* () {
    const numbers = Body.json(Schema.Array(Schema.String))
    const count = (length: number) =>
      Effect.map(Effect.flip(sent(numbers, [json, JSON.stringify(Array.from({ length }, () => 1))])), (error) =>
        error._tag === "UnprocessableContent" ? error.issues?.length : error
      )
    assert.deepStrictEqual([yield* count(50), yield* count(10_000)], [50, 1])
  })
)

it.effect("a key of __proto__ is a key like others", () =>
  Effect.gen(function* () {
    const record = Schema.Record(Schema.String, Schema.Unknown)
    const fromJson = yield* sent(Body.json(record), [json, '{"__proto__":{"admin":true}}'])
    const fromForm = yield* sent(Body.form(record), [urlencoded, "__proto__=a&constructor=b"])
    assert.deepStrictEqual([Object.keys(fromJson), fromJson.admin], [["__proto__"], undefined])
    assert.deepStrictEqual(Object.keys(fromForm), ["__proto__", "constructor"])
  })
)

it("a body says what it is, and is typed by its schema", () => {
  assert.deepStrictEqual(user["~body"], { contentType: json, schema: User, limit: undefined })
  assert.deepStrictEqual(login["~body"].contentType, urlencoded)
  expectTypeOf(user).toEqualTypeOf<Body.Body<typeof User.Type>>()
  expectTypeOf(login).toEqualTypeOf<Body.Body<typeof Login.Type>>()
})
