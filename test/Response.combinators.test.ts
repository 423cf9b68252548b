/**
 * The changes to responses: each gives a copy, in a pipe and with the response first.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Base from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as EntityTag from "../src/http/EntityTag.ts"
import * as Response from "../src/Response.ts"

const plain = Response.text("a")
const base = { ...plain.headers }
const date = new Date("2026-01-02T03:04:05.678Z")
type Change = (self: HttpServerResponse) => HttpServerResponse

const headers: ReadonlyArray<readonly [name: string, piped: Change, direct: HttpServerResponse, wanted: object]> = [
  ["setHeader sets", Response.setHeader("X-A", "1"), Response.setHeader(plain, "X-A", "1"), { "x-a": "1" }],
  [
    "setHeaders sets several",
    Response.setHeaders({ "X-A": "1", b: ["2", "3"] }),
    Response.setHeaders(plain, [
      ["x-a", "1"],
      ["b", "2, 3"]
    ]),
    { "x-a": "1", b: "2, 3" }
  ],
  [
    "prototype names are names",
    Response.setHeader("__proto__", "1"),
    Response.setHeaders(plain, [["__proto__", "1"]]),
    { ["__proto__"]: "1" }
  ],
  [
    "obs-text and tabs can be sent",
    Response.setHeader("a", "é\tb"),
    Response.setHeader(plain, "a", "é\tb"),
    { a: "é\tb" }
  ],
  [
    "type sets the content type",
    Response.type("text/csv"),
    Response.type(plain, "text/csv"),
    { "content-type": "text/csv" }
  ],
  [
    "setHeader of the content type is type",
    Response.setHeader("Content-Type", "text/csv"),
    Response.setHeaders(plain, { "Content-Type": "text/csv" }),
    { "content-type": "text/csv" }
  ],
  [
    "attachment names the file",
    Response.attachment("€.pdf"),
    Response.attachment(plain, "€.pdf"),
    { "content-disposition": `attachment; filename="_.pdf"; filename*=UTF-8''%E2%82%AC.pdf` }
  ],
  [
    "inline names the file",
    Response.inline("a.pdf"),
    Response.inline(plain, "a.pdf"),
    { "content-disposition": 'inline; filename="a.pdf"' }
  ],
  [
    "a file name is optional",
    Response.attachment(),
    Response.attachment(plain),
    { "content-disposition": "attachment" }
  ],
  [
    "a file name cannot inject",
    Response.inline('a"\r\nb'),
    Response.inline(plain, 'a"\r\nb'),
    { "content-disposition": `inline; filename="a___b"; filename*=UTF-8''a%22__b` }
  ],
  ["etag is strong", Response.etag("v1"), Response.etag(plain, EntityTag.make("v1")), { etag: '"v1"' }],
  [
    "etag takes a weak tag",
    Response.etag({ value: "v1", weak: true }),
    Response.etag(plain, EntityTag.make("v1", { weak: true })),
    { etag: 'W/"v1"' }
  ],
  [
    "lastModified is in whole seconds",
    Response.lastModified(date),
    Response.lastModified(plain, date),
    { "last-modified": "Fri, 02 Jan 2026 03:04:05 GMT" }
  ],
  ["vary names a header", Response.vary("Accept"), Response.vary(plain, "Accept"), { vary: "Accept" }],
  ["vary of nothing changes nothing", Response.vary(""), Response.vary(plain, " , "), {}]
]

describe("headers", () => {
  for (const [name, piped, direct, wanted] of headers) {
    it(name, () => {
      const expected = { ...base, ...wanted }
      assert.deepStrictEqual({ ...plain.pipe(piped).headers }, expected)
      assert.deepStrictEqual({ ...direct.headers }, expected)
      assert.deepStrictEqual({ ...plain.headers }, base)
    })
  }

  it("removeHeader removes, in any case", () => {
    const response = plain.pipe(Response.setHeader("x-a", "1"), Response.removeHeader("X-A"))
    assert.deepStrictEqual({ ...response.headers }, base)
  })

  const varies: ReadonlyArray<readonly [present: string, added: string, wanted: string]> = [
    ["Accept", "Origin", "Accept, Origin"],
    ["Accept", "accept", "Accept"],
    ["Accept, Origin", "Cookie, ORIGIN", "Accept, Origin, Cookie"],
    ["*", "Accept", "*"],
    ["Accept", "*", "*"]
  ]
  for (const [present, added, wanted] of varies) {
    it(`Vary: ${present} and ${added} is ${wanted}`, () => {
      const response = plain.pipe(Response.setHeader("vary", present), Response.vary(added))
      assert.strictEqual(response.headers.vary, wanted)
    })
  }
})

describe("the content type outlives later changes", () => {
  const bodies: ReadonlyArray<readonly [name: string, response: HttpServerResponse]> = [
    ["of text", plain],
    ["of bytes", Response.bytes(new Uint8Array(1))],
    ["of a stream", Response.stream(Stream.make("a"))],
    ["of a foreign body", Response.raw(new Blob(["a"]))],
    ["of no body", Response.empty({ status: 200 })]
  ]
  for (const [name, response] of bodies) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const changed = response.pipe(Response.type("a/b"), Response.setStatus(201), Response.setCookie("a", "1"))
        assert.strictEqual(changed.headers["content-type"], "a/b")
        assert.strictEqual(changed.headers["content-length"], response.headers["content-length"])
        const [before, after] = [response, changed].map((one) => Effect.promise(() => Base.toWeb(one).text()))
        assert.strictEqual(yield* after!, yield* before!)
      })
    )
  }

  it("Effect's own setHeader loses it", () => {
    const changed = Base.setStatus(Base.setHeader(plain, "content-type", "a/b"), 201)
    assert.strictEqual(changed.headers["content-type"], "text/plain; charset=utf-8")
  })

  it("a form keeps the type with its boundary", () => {
    const form = Base.formData(new FormData())
    assert.strictEqual(Response.type(form, "a/b").body, form.body)
    assert.strictEqual(HttpBody.isHttpBody(form.body), true)
  })
})

describe("setStatus", () => {
  const statuses: ReadonlyArray<
    readonly [name: string, response: HttpServerResponse, wanted: readonly [number, string | undefined]]
  > = [
    ["sets the status", Response.setStatus(plain, 404), [404, undefined]],
    ["sets the reason phrase", plain.pipe(Response.setStatus(404, "Nope")), [404, "Nope"]],
    [
      "a reason phrase does not stay with another status",
      plain.pipe(Response.setStatus(404, "Nope"), Response.setStatus(410)),
      [410, "Gone"]
    ],
    ["a status without a registered phrase may have none", Response.setStatus(plain, 299, ""), [299, ""]]
  ]
  for (const [name, { status, statusText }, wanted] of statuses) {
    it(name, () => assert.deepStrictEqual([status, statusText], wanted))
  }
})

const cookies: ReadonlyArray<readonly [name: string, change: Change, wanted: ReadonlyArray<string>]> = [
  ["a cookie is for the whole site", Response.setCookie("a", "1"), ["a=1; Path=/"]],
  ["a value is encoded", Response.setCookie("a", "b; c\r\n€"), ["a=b%3B%20c%0D%0A%E2%82%AC; Path=/"]],
  [
    "a cookie takes every attribute",
    Response.setCookie("a", "1", {
      path: "/x",
      domain: "a.example",
      maxAge: "1 hour",
      expires: new Date(0),
      secure: true,
      httpOnly: true,
      sameSite: "lax",
      partitioned: true
    }),
    [
      "a=1; Max-Age=3600; Domain=a.example; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; Partitioned; SameSite=Lax"
    ]
  ],
  [
    "the last of a name wins",
    (self) => Response.setCookie(Response.setCookie(self, "a", "1", { path: "/x" }), "a", "2"),
    ["a=2; Path=/"]
  ],
  [
    "several names are several cookies",
    (self) => self.pipe(Response.setCookie("a", "1"), Response.setCookie("b", "2")),
    ["a=1; Path=/", "b=2; Path=/"]
  ],
  ["prototype names are names", Response.setCookie("__proto__", "1"), ["__proto__=1; Path=/"]],
  [
    "an expired cookie is as aiohttp's",
    Response.expireCookie("a"),
    ["a=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
  ],
  [
    "an expired cookie takes its path and domain",
    (self) => Response.expireCookie(self, "a", { path: "/x", domain: "b" }),
    ["a=; Max-Age=0; Domain=b; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
  ]
]

describe("cookies", () => {
  for (const [name, change, wanted] of cookies) {
    it(name, () => assert.deepStrictEqual(Base.toWeb(change(plain)).headers.getSetCookie(), wanted))
  }
})

const refused: ReadonlyArray<readonly [name: string, change: Change, message: RegExp]> = [
  ["a cookie name with a space", Response.setCookie("a b", "1"), /cookie "a b" is invalid: InvalidCookieName/],
  ["an empty cookie name", Response.expireCookie(""), /cookie "" is invalid/],
  ["half a surrogate pair in a cookie", Response.setCookie("a", "\ud800"), /cookie "a" is invalid: URI malformed/],
  ["a cookie domain with ;", Response.setCookie("a", "1", { domain: "a;b" }), /InvalidCookieDomain/],
  ["a cookie path with LF", Response.setCookie("a", "1", { path: "/\n" }), /InvalidCookiePath/],
  ["a cookie for ever", Response.setCookie("a", "1", { maxAge: Duration.infinity }), /CookieInfinityMaxAge/],
  [
    "a cookie that expires never",
    Response.setCookie("a", "1", { expires: new Date(Number.NaN) }),
    /expires is no date/
  ],
  ["CR and LF in setHeader", Response.setHeader("a", "b\r\nc: d"), /U\+000D at 1/],
  ["LF in setHeaders", Response.setHeaders({ a: "b\n" }), /U\+000A at 1/],
  ["LF in a header name", Response.setHeader("a\nb", "c"), /is no header name/],
  ["LF in type", Response.type("a/b\nc"), /content-type/],
  ["LF in the content type by setHeaders", Response.setHeaders({ "content-type": "a\n" }), /content-type/],
  ["LF in vary", Response.vary("a\nb"), /vary/],
  ["a quote in an entity tag", Response.etag('"v1"'), /is not an entity tag/],
  ["a quote in a weak entity tag", Response.etag({ value: '"', weak: true }), /is not an entity tag/],
  ["an invalid date", Response.lastModified(new Date(Number.NaN)), /date is invalid/],
  ["a status of 99", Response.setStatus(99), /99 is no status/],
  ["a reason phrase with CR", Response.setStatus(200, "\r"), /reason phrase/]
]

describe("a TypeError where it is changed is", () => {
  for (const [name, change, message] of refused) it(name, () => assert.throws(() => change(plain), TypeError, message))
})
