/**
 * The constructors of responses: what they send, and what they refuse to.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cookies from "effect/http/Cookies"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Base from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Stream from "effect/Stream"
import { html, raw } from "../src/Html.ts"
import * as Response from "../src/Response.ts"

type Sent = readonly [status: number, headers: Readonly<Record<string, string>>, body: string]

const sent = (response: HttpServerResponse): Effect.Effect<Sent> =>
  Effect.map(
    Effect.promise(() => Base.toWeb(response).text()),
    (body) => [response.status, { ...response.headers }, body]
  )

const text = "text/plain; charset=utf-8"
const json = "application/json"
const binary = "application/octet-stream"

const rows: ReadonlyArray<readonly [name: string, response: HttpServerResponse, wanted: Sent]> = [
  ["text is UTF-8", Response.text("é"), [200, { "content-type": text, "content-length": "2" }, "é"]],
  [
    "text takes a status and headers",
    Response.text("a", { status: 201, headers: { "X-A": "1" } }),
    [201, { "x-a": "1", "content-type": text, "content-length": "1" }, "a"]
  ],
  [
    "the content type of the options comes first",
    Response.text("a", { contentType: "text/csv", headers: { "content-type": "text/x" } }),
    [200, { "content-type": "text/csv", "content-length": "1" }, "a"]
  ],
  [
    "the content type of the headers comes second, in any case and as pairs",
    Response.text("a", { headers: [["Content-Type", "text/csv"]] }),
    [200, { "content-type": "text/csv", "content-length": "1" }, "a"]
  ],
  [
    "several values of a header are joined",
    Response.text("a", { headers: { "Content-TYPE": "a/b", vary: ["a", "b"], none: undefined } }),
    [200, { "content-type": "a/b", vary: "a, b", "content-length": "1" }, "a"]
  ],
  [
    "html is markup",
    Response.html(html`<b>${"<"}</b>`),
    [200, { "content-type": "text/html; charset=utf-8", "content-length": "11" }, "<b>&lt;</b>"]
  ],
  [
    "html takes options",
    Response.html(raw("<b>"), { status: 500, headers: { a: "1" } }),
    [500, { a: "1", "content-type": "text/html; charset=utf-8", "content-length": "3" }, "<b>"]
  ],
  [
    "json is compact",
    Response.json({ a: [1, null] }),
    [200, { "content-type": json, "content-length": "14" }, '{"a":[1,null]}']
  ],
  ["null is JSON", Response.json(null), [200, { "content-type": json, "content-length": "4" }, "null"]],
  [
    "json takes options",
    Response.json(1, { status: 201, contentType: "application/vnd.a+json" }),
    [201, { "content-type": "application/vnd.a+json", "content-length": "1" }, "1"]
  ],
  [
    "bytes are binary",
    Response.bytes(new Uint8Array([104, 105])),
    [200, { "content-type": binary, "content-length": "2" }, "hi"]
  ],
  [
    "bytes take options",
    Response.bytes(new Uint8Array([104]), { contentType: "image/png" }),
    [200, { "content-type": "image/png", "content-length": "1" }, "h"]
  ],
  [
    "a stream has no length",
    Response.stream(Stream.make("é", new Uint8Array([104]))),
    [200, { "content-type": binary }, "éh"]
  ],
  [
    "a stream takes options and a length",
    Response.stream(Stream.make("ab"), { contentType: text, contentLength: 2 }),
    [200, { "content-type": text, "content-length": "2" }, "ab"]
  ],
  ["empty is 204", Response.empty(), [204, {}, ""]],
  ["empty with a status has the length 0", Response.empty({ status: 201 }), [201, { "content-length": "0" }, ""]],
  [
    "a given length stays, for HEAD",
    Response.empty({ status: 200, headers: { "content-length": "5" } }),
    [200, { "content-length": "5" }, ""]
  ],
  ["304 has no length", Response.empty({ status: 304 }), [304, {}, ""]],
  ["205 has none either", Response.empty({ status: 205 }), [205, {}, ""]],
  ["a redirect is 302", Response.redirect("/a?b=%20#c"), [302, { location: "/a?b=%20#c", "content-length": "0" }, ""]],
  [
    "a redirect takes a URL, a status and headers",
    Response.redirect(new URL("https://example.com/ä"), { status: 308, headers: { a: "1" } }),
    [308, { a: "1", location: "https://example.com/%C3%A4", "content-length": "0" }, ""]
  ],
  [
    "raw passes a foreign body",
    Response.raw(new Blob(["hi"]), { contentType: text }),
    [200, { "content-type": text }, "hi"]
  ]
]

describe("a response", () => {
  for (const [name, response, wanted] of rows) {
    it.effect(name, () => Effect.map(sent(response), (found) => assert.deepStrictEqual(found, wanted)))
  }

  it("text and json without options cost what Effect's own cost: the same object, with the type in the body", () => {
    const [own, effects] = [Response.text("a"), Base.text("a", { contentType: text })]
    assert.deepStrictEqual({ ...own }, { ...effects })
    assert.strictEqual(own.cookies, effects.cookies)
    assert.deepStrictEqual({ ...Response.json({ a: 1 }) }, { ...Base.jsonUnsafe({ a: 1 }) })
  })

  it("bytes are not copied", () => {
    const body = new Uint8Array([1])
    const response = Response.bytes(body)
    assert.strictEqual(response.body._tag === "Uint8Array" ? response.body.body : undefined, body)
  })

  it("cookies of the options are sent", () => {
    const cookies = Cookies.setUnsafe(Cookies.empty, "a", "1")
    for (const response of [
      Response.text("", { cookies }),
      Response.empty({ cookies }),
      Response.redirect("/", { cookies })
    ]) {
      assert.strictEqual(response.cookies, cookies)
    }
  })
})

const cycle: { self?: unknown } = {}
cycle.self = cycle
const bad = (value: string) => ({ headers: { "x-name": value } })

const refused: ReadonlyArray<readonly [name: string, make: () => unknown, message: RegExp]> = [
  ["undefined as JSON", () => Response.json(undefined), /undefined has no JSON/],
  ["a function as JSON", () => Response.json(() => 1), /function has no JSON/],
  ["a symbol as JSON", () => Response.json(Symbol.iterator), /symbol has no JSON/],
  ["a BigInt as JSON", () => Response.json({ a: 1n }), /BigInt/],
  ["a cycle as JSON", () => Response.json(cycle), /circular/],
  ["CR in a header", () => Response.text("", bad("a\rb")), /"x-name" has U\+000D at 1/],
  ["LF in a header", () => Response.json(1, bad("a\nSet-Cookie: b")), /U\+000A/],
  ["NUL in a header", () => Response.bytes(new Uint8Array(), bad("\0")), /U\+0000 at 0/],
  ["DEL in a header", () => Response.stream(Stream.empty, bad("\x7f")), /U\+007F/],
  ["a character above 0xFF in a header", () => Response.empty(bad("€")), /U\+20AC/],
  ["a content type with LF", () => Response.text("", { contentType: "a/b\n" }), /content-type/],
  ["a bad value in a list of values", () => Response.text("", { headers: { a: ["b", "c\r"] } }), /U\+000D/],
  ["a header name with a space", () => Response.text("", { headers: { "a b": "" } }), /"a b" is no header name/],
  ["an empty header name", () => Response.html(html``, { headers: { "": "" } }), /"" is no header name/],
  ["a status of 999", () => Response.text("", { status: 999 }), /999 is no status/],
  ["a status that is not final", () => Response.empty({ status: 101 }), /101 is no status/],
  ["a broken status", () => Response.empty({ status: 200.5 }), /200.5 is no status/],
  ["a reason phrase with LF", () => Response.text("", { statusText: "a\nb" }), /reason phrase/],
  ["an empty location", () => Response.redirect(""), /location of a redirect is empty/],
  ["a redirect with a header with CR", () => Response.redirect("/", bad("\r")), /U\+000D/],
  ["a schema's response with a header with CR", () => Response.schema(Schema.String, bad("\r")), /U\+000D/],
  ["a schema's response with a bad status", () => Response.schema(Schema.String, { status: 1 }), /1 is no status/]
]

describe("a TypeError where it is made is", () => {
  for (const [name, make, message] of refused) it(name, () => assert.throws(make, TypeError, message))

  it("a string as HTML, in the types as well", () => {
    const text: string = "<b>"
    // @ts-expect-error Argument of type 'string' is not assignable to parameter of type '"no escaped HTML: write html`...`, or Html.raw(text) for text that is trusted"'
    assert.throws(() => Response.html(text), TypeError, /Html\.raw/)
  })
})

class Suffix extends Context.Service<Suffix, string>()("Suffix") {}
const Suffixed = Schema.String.pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.passthrough(),
    encode: SchemaGetter.transformEffect((text: string) => Effect.map(Suffix, (suffix) => text + suffix))
  })
)

describe("a described response", () => {
  it.effect("has headers of its value", () =>
    Effect.gen(function* () {
      const described = Response.schema(Schema.Struct({ id: Schema.Int }), {
        status: 201,
        headers: ({ id }) => ({ location: `/things/${id}` })
      })
      const response = yield* described.encode({ id: 7 })
      assert.deepStrictEqual(
        [response.status, response.headers.location, response.headers["content-type"]],
        [201, "/things/7", "application/json"]
      )
    })
  )

  const Thing = Schema.Struct({ at: Schema.Date, tags: Schema.ReadonlySet(Schema.String) })
  const thing = { at: new Date(0), tags: new Set(["a"]) }

  it.effect("encodes by its schema to JSON", () =>
    Effect.gen(function* () {
      const described = Response.schema(Thing, { status: 201, headers: { a: "1" }, contentType: "application/a+json" })
      const body = '{"at":"1970-01-01T00:00:00.000Z","tags":["a"]}'
      assert.deepStrictEqual(yield* Effect.flatMap(described.encode(thing), sent), [
        201,
        { a: "1", "content-type": "application/a+json", "content-length": String(body.length) },
        body
      ])
      assert.deepStrictEqual([described.status, described.contentType], [201, "application/a+json"])
      assert.strictEqual(described.schema, Thing)
    })
  )

  it("is 200 and JSON unless said, and needs no step of a fiber where its schema needs none", () => {
    const described = Response.schema(Thing)
    assert.deepStrictEqual([described.status, described.contentType], [200, json])
    assert.isTrue(Exit.isExit(described.encode(thing)))
    expectTypeOf(described).toEqualTypeOf<Response.Described<(typeof Thing)["Type"], never>>()
  })

  it.effect("takes the services of its schema", () =>
    Effect.gen(function* () {
      const described = Response.schema(Suffixed)
      expectTypeOf(described).toEqualTypeOf<Response.Described<string, Suffix>>()
      const encoded = yield* Effect.provideService(described.encode("a"), Suffix, "!")
      assert.deepStrictEqual((yield* sent(encoded))[2], '"a!"')
    })
  )

  it.effect("a value that does not encode is a defect", () =>
    Effect.gen(function* () {
      const wrong = { at: "yesterday", tags: new Set() } as unknown as typeof thing
      const exit = yield* Effect.exit(Response.schema(Thing).encode(wrong))
      assert.isTrue(Exit.hasDies(exit))
    })
  )

  it.effect("with 204 it has no body", () =>
    Effect.gen(function* () {
      const described = Response.schema(Schema.Void, { status: 204, headers: { a: "1" } })
      assert.deepStrictEqual(yield* Effect.flatMap(described.encode(), sent), [204, { a: "1" }, ""])
    })
  )
})
