/**
 * HTTP errors of one's own.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as Cookies from "effect/http/Cookies"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as HttpError from "../src/HttpError.ts"

class EmailTaken extends HttpError.define<EmailTaken>()(
  "EmailTaken",
  { status: 409, headers: ({ email }) => ({ "x-email": email }), hidden: ["attempts"] },
  { email: Schema.String, since: Schema.Date, attempts: Schema.Number }
) {}

class Plain extends HttpError.define<Plain>()("Plain", { status: 599 }) {}

const taken = new EmailTaken({ email: "a@b", since: new Date(0), attempts: 3, text: "Taken" })

const answer = (error: HttpServerRespondable.Respondable) =>
  Effect.gen(function* () {
    const response = yield* HttpServerRespondable.toResponse(error)
    const text = yield* Effect.promise(() => HttpServerResponse.toWeb(response).text())
    return { status: response.status, headers: response.headers, body: JSON.parse(text) }
  })

describe("an error of one's own", () => {
  it.effect("is answered with its status, its headers, and its fields encoded but the hidden", () =>
    Effect.gen(function* () {
      const { body, headers, status } = yield* answer(taken)
      assert.strictEqual(status, 409)
      assert.strictEqual(headers["x-email"], "a@b")
      assert.deepStrictEqual(body, {
        type: "about:blank",
        title: "Conflict",
        status: 409,
        detail: "Taken",
        email: "a@b",
        since: "1970-01-01T00:00:00.000Z",
        _tag: "EmailTaken"
      })
    })
  )

  it.effect("has no title where its status is not registered", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* answer(new Plain())).body, { type: "about:blank", status: 599, _tag: "Plain" })
      assert.deepStrictEqual([new Plain().title, new Plain().message], ["", "599"])
    })
  )

  it("knows its status as a literal, on the class as well", () => {
    expectTypeOf(taken.status).toEqualTypeOf<409>()
    expectTypeOf(EmailTaken.status).toEqualTypeOf<409>()
    expectTypeOf(taken.email).toEqualTypeOf<string>()
    assert.deepStrictEqual([EmailTaken.status, taken.status, taken.title], [409, 409, "Conflict"])
  })

  it("belongs to the family of its status", () => {
    assert.deepStrictEqual([HttpError.isClientError(taken), HttpError.isServerError(taken)], [true, false])
    assert.deepStrictEqual([HttpError.isClientError(new Plain()), HttpError.isServerError(new Plain())], [false, true])
    assert.deepStrictEqual([ErrorReporter.isIgnored(taken), ErrorReporter.isIgnored(new Plain())], [true, false])
  })

  it.effect("is caught by its tag and by its family", () =>
    Effect.gen(function* () {
      const failing = Effect.gen(function* () {
        return yield* taken
      })
      expectTypeOf(failing).toEqualTypeOf<Effect.Effect<never, EmailTaken>>()
      assert.strictEqual(yield* Effect.catchTag(failing, "EmailTaken", ({ email }) => Effect.succeed(email)), "a@b")
      const caught = Effect.catchIf(failing, HttpError.isClientError, ({ title }) => Effect.succeed(title))
      assert.strictEqual(yield* caught, "Conflict")
    })
  )

  it.effect("is encoded and decoded by its class as a schema", () =>
    Effect.gen(function* () {
      const codec = Schema.toCodecJson(EmailTaken)
      const encoded = yield* Schema.encodeEffect(codec)(taken)
      assert.deepStrictEqual<unknown>(encoded, {
        _tag: "EmailTaken",
        email: "a@b",
        since: "1970-01-01T00:00:00.000Z",
        attempts: 3,
        text: "Taken"
      })
      const decoded = yield* Schema.decodeUnknownEffect(codec)(encoded)
      assert.instanceOf(decoded, EmailTaken)
      assert.deepStrictEqual([decoded.status, decoded.message, decoded.since.getTime()], [409, "Taken", 0])
    })
  )

  it.effect(
    "leaves its cause, headers and cookies at home when it is encoded, as by HttpApi, and takes none from a peer",
    () =>
      Effect.gen(function* () {
        const codec = Schema.toCodecJson(Plain)
        const own = { cause: new Error("hunter2"), headers: { a: "b" }, cookies: Cookies.empty }
        assert.deepStrictEqual<unknown>(yield* Schema.encodeEffect(codec)(new Plain(own)), { _tag: "Plain" })
        const decoded = yield* Schema.decodeUnknownEffect(codec)({ _tag: "Plain", cause: 1, headers: 2, cookies: 3 })
        assert.deepStrictEqual([decoded.cause, decoded.headers, decoded.cookies], [undefined, undefined, undefined])
      })
  )

  it.effect("its problem details decode to it, when nothing is hidden", () =>
    Effect.gen(function* () {
      const { body } = yield* answer(new HttpError.MethodNotAllowed({ method: "PUT", allowed: ["GET"] }))
      const decoded = yield* Schema.decodeUnknownEffect(Schema.toCodecJson(HttpError.MethodNotAllowed))(body)
      assert.deepStrictEqual([decoded.method, decoded.allowed], ["PUT", ["GET"]])
    })
  )

  it.effect("dies when a field does not encode", () =>
    Effect.gen(function* () {
      const broken = Object.assign(new EmailTaken({ email: "a", since: new Date(0), attempts: 0 }), { since: "never" })
      assert.match(String(yield* Effect.exit(answer(broken))), /since/)
    })
  )

  it.effect("may have fields with the names of a prototype", () =>
    Effect.gen(function* () {
      class Odd extends HttpError.define<Odd>()(
        "Odd",
        { status: 400 },
        { constructor: Schema.String, valueOf: Schema.String }
      ) {}
      const { body } = yield* answer(new Odd({ constructor: "a", valueOf: "b" }))
      assert.deepStrictEqual([body.constructor, body.valueOf], ["a", "b"])
    })
  )
})

const names = [
  ...["type", "title", "status", "detail", "instance", "text", "headers", "cookies", "cause"],
  ...["message", "_tag", "name", "stack", "__proto__"]
]

describe("define throws a TypeError for", () => {
  for (const name of names) {
    it(`a field "${name}", and says to rename it`, () => {
      const define = () =>
        HttpError.define<{ readonly a: 1 }>()("Mine", { status: 400 }, Object.fromEntries([[name, Schema.String]]))
      assert.throws(
        define,
        TypeError,
        `HttpError.define("Mine"): every error has "${name}" already; give the field another name`
      )
    })
  }

  for (const status of [0, 200, 304, 399, 600, 400.5, Number.NaN]) {
    it(`the status ${status}, and says which to use`, () =>
      assert.throws(
        () => HttpError.define<{ readonly a: 1 }>()("Mine", { status }),
        TypeError,
        `HttpError.define("Mine"): status ${status} is no error; use 400 to 599, or Redirect`
      ))
  }

  it("no class that forgets itself, but a type that says so", () => {
    const forgot = HttpError.define()("Mine", { status: 400 })
    expectTypeOf(forgot).toEqualTypeOf<"Missing `Self`: class X extends HttpError.define<X>()(...)">()
  })
})
