/**
 * Redirects as typed failures, and where they lead.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as Cookies from "effect/http/Cookies"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpError from "../src/HttpError.ts"
import * as EntityTag from "../src/http/EntityTag.ts"
import * as Redirect from "../src/Redirect.ts"
import * as Response from "../src/Response.ts"

const classes = [
  [Redirect.MultipleChoices, 300, "300 Multiple Choices"],
  [Redirect.MovedPermanently, 301, "301 Moved Permanently"],
  [Redirect.Found, 302, "302 Found"],
  [Redirect.SeeOther, 303, "303 See Other"],
  [Redirect.UseProxy, 305, "305 Use Proxy"],
  [Redirect.TemporaryRedirect, 307, "307 Temporary Redirect"],
  [Redirect.PermanentRedirect, 308, "308 Permanent Redirect"]
] as const

const cookies = Cookies.setUnsafe(Cookies.empty, "a", "1")

describe("a redirect", () => {
  for (const [Class, status, title] of classes) {
    it.effect(`${Class.name} is answered with ${status}, its location, its headers and no body`, () =>
      Effect.gen(function* () {
        const redirect = new Class({ location: "/b", headers: { "X-A": "1" }, cookies })
        const response = yield* HttpServerRespondable.toResponse(redirect)
        assert.strictEqual(response.status, status)
        assert.deepStrictEqual({ ...response.headers }, { location: "/b", "x-a": "1", "content-length": "0" })
        assert.strictEqual(response.cookies, cookies)
        assert.strictEqual(response.body._tag, "Empty")
        assert.deepStrictEqual(
          [redirect._tag, redirect.status, Class.status, redirect.location, redirect.message],
          [Class.name, status, status, "/b", `${title}: /b`]
        )
        assert.isTrue(Redirect.isRedirect(redirect) && redirect instanceof Class && redirect instanceof Error)
        assert.isTrue(ErrorReporter.isIgnored(redirect))
      })
    )
  }

  it.effect("fails where it is yielded, and is caught by its tag", () =>
    Effect.gen(function* () {
      const found = Effect.gen(function* () {
        return yield* new Redirect.Found({ location: "/b" })
      })
      expectTypeOf(found).toEqualTypeOf<Effect.Effect<never, Redirect.Found>>()
      assert.strictEqual(yield* Effect.catchTag(found, "Found", ({ location }) => Effect.succeed(location)), "/b")
    })
  )

  const others: ReadonlyArray<readonly [name: string, value: unknown]> = [
    ["an HTTP error", new HttpError.NotFound()],
    ["a response", Response.redirect("/")],
    ["null", null],
    ["a string", "/"]
  ]
  for (const [name, value] of others) it(`${name} is no redirect`, () => assert.isFalse(Redirect.isRedirect(value)))

  it("needs a location, in the types as well", () => {
    // @ts-expect-error Property 'location' is missing
    assert.isFunction(() => new Redirect.Found({}))
    for (const [Class] of classes)
      assert.throws(() => new Class({ location: "" }), TypeError, /location of a redirect is empty/)
  })

  it("a header that cannot be sent throws where it is made", () => {
    const headers = { a: "b\r\nc: d" }
    assert.throws(() => new Redirect.Found({ location: "/", headers }), TypeError, /U\+000D/)
    assert.throws(() => new Redirect.NotModified({ headers }), TypeError, /U\+000D/)
  })
})

describe("NotModified", () => {
  const rows: ReadonlyArray<readonly [name: string, redirect: Redirect.NotModified, wanted: object]> = [
    ["has no location and no length", new Redirect.NotModified(), {}],
    ["takes an entity tag", new Redirect.NotModified({ etag: "v1" }), { etag: '"v1"' }],
    ["takes a weak one", new Redirect.NotModified({ etag: EntityTag.make("v1", { weak: true }) }), { etag: 'W/"v1"' }],
    ["takes headers and cookies", new Redirect.NotModified({ headers: { Vary: "a" }, cookies }), { vary: "a" }]
  ]
  for (const [name, redirect, wanted] of rows) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const response = yield* HttpServerRespondable.toResponse(redirect)
        assert.deepStrictEqual([response.status, response.body._tag, { ...response.headers }], [304, "Empty", wanted])
        assert.deepStrictEqual(
          [redirect._tag, redirect.status, redirect.message],
          ["NotModified", 304, "304 Not Modified"]
        )
        assert.isTrue(Redirect.isRedirect(redirect))
      })
    )
  }
})

const locations: ReadonlyArray<readonly [location: string | URL, wanted: string]> = [
  ["/a/b?c=d&e=%20#f", "/a/b?c=d&e=%20#f"],
  ["/a b", "/a%20b"],
  ["/\r\nset-cookie: a=b", "/%0D%0Aset-cookie:%20a=b"],
  ["/é/€/😀", "/%C3%A9/%E2%82%AC/%F0%9F%98%80"],
  ["/\\evil.example", "/%5Cevil.example"],
  ['/"<>^`{|}\x7f\0', "/%22%3C%3E%5E%60%7B%7C%7D%7F%00"],
  ["/\ud800", "/%EF%BF%BD"],
  ["../up", "../up"],
  ["http://[::1]:80/", "http://[::1]:80/"],
  [new URL("https://a.example/ b"), "https://a.example/%20b"]
]

describe("a location, of a failure as of a response,", () => {
  for (const [location, wanted] of locations) {
    it(`${JSON.stringify(location)} is sent as ${wanted}`, () => {
      assert.strictEqual(new Redirect.Found({ location }).location, wanted)
      assert.strictEqual(Response.redirect(location).headers.location, wanted)
    })
  }
})
