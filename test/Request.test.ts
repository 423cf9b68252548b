/**
 * What the fields of a request say, and what is negotiated by them.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type { RouteContext } from "../src/Handler.ts"
import type * as HttpError from "../src/HttpError.ts"
import * as EntityTag from "../src/http/EntityTag.ts"
import * as Request from "../src/Request.ts"
import { at, failure, having, rows, sent } from "./requests.ts"

const bare = (record: Record<string, unknown>) => Object.assign(Object.create(null), record)
const day = "Sun, 06 Nov 1994 08:49:37 GMT"

rows("the fields", [
  ["params are those of the route", Request.params, { params: { id: "42" } }, { id: "42" }],
  [
    "the query keeps duplicates",
    Effect.map(Request.query, (query) => [...query]),
    at("http://a/?t=1&t=&u+v"),
    [
      ["t", "1"],
      ["t", ""],
      ["u v", ""]
    ]
  ],
  ["a header has any case", Request.header("X-Name"), having({ "x-name": "a" }), "a"],
  ["a header that is not there is undefined", Request.header("constructor"), {}, undefined],
  ["headers are all there", Effect.map(Request.headers, (all) => all["x-a"]), having({ "x-a": "1" }), "1"],
  [
    "cookies are read leniently",
    Request.cookies,
    having({ cookie: 'a="x y"; b=1; b=2; c' }),
    bare({ a: "x y", b: "2", c: "" })
  ],
  ["a cookie is found by name", Request.cookie("b"), having({ cookie: "a=1; b=2" }), "2"],
  ["no cookie is inherited", Request.cookie("toString"), having({ cookie: "a=1" }), undefined],
  [
    "the content type is in lower case",
    Request.contentType,
    having({ "content-type": "Text/HTML; Charset=x" }),
    "text/html"
  ],
  ["no content type is octet-stream", Request.contentType, {}, "application/octet-stream"],
  [
    "an invalid content type is octet-stream",
    Request.contentType,
    having({ "content-type": "text" }),
    "application/octet-stream"
  ],
  [
    "the charset is that of the content type",
    Request.charset,
    having({ "content-type": 'text/html; charset="Latin1"' }),
    "Latin1"
  ],
  ["no charset is undefined", Request.charset, having({ "content-type": "text/html" }), undefined],
  ["the content length is a number", Request.contentLength, having({ "content-length": "12" }), 12],
  ["a malformed content length is undefined", Request.contentLength, having({ "content-length": "1e3" }), undefined],
  ["no content length is undefined", Request.contentLength, {}, undefined],
  ["a length of 0 is no body", Request.hasBody, having({ "content-length": "0" }), false],
  ["a length is a body", Request.hasBody, having({ "content-length": "3" }), true],
  ["a web request has a body", Request.hasBody, { body: "x" }, true],
  ["a web request has no body", Request.hasBody, {}, false],
  [
    "If-Match is a list",
    Request.ifMatch,
    having({ "if-match": '"a", W/"b"' }),
    [
      { value: "a", weak: false },
      { value: "b", weak: true }
    ]
  ],
  ["no If-Match is undefined", Request.ifMatch, {}, undefined],
  ["If-None-Match is any", Request.ifNoneMatch, having({ "if-none-match": "*" }), "*"],
  ["If-Modified-Since is a date", Request.ifModifiedSince, having({ "if-modified-since": day }), new Date(day)],
  ["a malformed date is undefined", Request.ifModifiedSince, having({ "if-modified-since": "yesterday" }), undefined],
  ["no If-Modified-Since is undefined", Request.ifModifiedSince, {}, undefined],
  ["If-Unmodified-Since is a date", Request.ifUnmodifiedSince, having({ "if-unmodified-since": day }), new Date(day)],
  ["If-Range is a tag", Request.ifRange, having({ "if-range": '"a"' }), { value: "a", weak: false }],
  ["If-Range is a date", Request.ifRange, having({ "if-range": day }), new Date(day)],
  ["no If-Range is undefined", Request.ifRange, {}, undefined],
  ["ranges may be several", Request.range, having({ range: "bytes=0-1, -5" }), [{ first: 0, last: 1 }, { suffix: 5 }]],
  ["a malformed range is invalid", Request.range, having({ range: "bytes=5-1" }), "invalid"],
  [
    "Forwarded is read whole",
    Request.forwarded,
    having({ forwarded: "for=1.2.3.4;proto=https, for=_x" }),
    [bare({ for: "1.2.3.4", proto: "https" }), bare({ for: "_x" })]
  ],
  ["the peer has its address", Request.remote, { peer: "::ffff:10.0.0.1" }, "10.0.0.1"],
  ["an IPv6 peer too", Request.remote, { peer: "2001:db8::1" }, "2001:db8::1"],
  ["a peer without an address is undefined", Request.remote, { peer: "" }, undefined],
  ["the request is Effect's", Effect.map(Request.current, (current) => current.method), {}, "GET"]
])

rows("negotiation", [
  [
    "the media type liked best is picked",
    Request.accepts(["text/html", "application/json"]),
    having({ accept: "text/html;q=0.5, */*" }),
    "application/json"
  ],
  ["without a wish the first offer is", Request.accepts(["text/html", "application/json"]), {}, "text/html"],
  [
    "the language liked best is picked",
    Request.language(["en", "de"]),
    having({ "accept-language": "de-CH, en;q=0.5" }),
    "de"
  ],
  [
    "a language that is not there is the first",
    Request.language(["en", "de"]),
    having({ "accept-language": "fr" }),
    "en"
  ]
])

it.effect("no media type that is acceptable is a 406 that names them", () =>
  Effect.map(failure(Request.accepts(["text/html", "text/csv"]), having({ accept: "image/png" })), (found) =>
    assert.deepStrictEqual(found, [406, "Available: text/html, text/csv"])
  )
)

describe("a precondition", () => {
  const state = { etag: EntityTag.make("v2"), lastModified: new Date(day) }
  const all: ReadonlyArray<
    readonly [string, string, Record<string, string>, Parameters<typeof Request.precondition>[0], boolean]
  > = [
    ["of the current tag holds", "PUT", { "if-match": '"v2"' }, state, true],
    ["of an old tag fails", "PUT", { "if-match": '"v1"' }, state, false],
    ["of any tag fails for what does not exist", "PATCH", { "if-match": "*" }, { exists: false }, false],
    ["of no tag holds for what does not exist", "PUT", { "if-none-match": "*" }, { exists: false }, true],
    ["of no tag fails for what exists", "PUT", { "if-none-match": "*" }, {}, false],
    [
      "of a date before the last change fails",
      "DELETE",
      { "if-unmodified-since": "Sun, 06 Nov 1994 08:49:36 GMT" },
      state,
      false
    ],
    ["of nothing holds", "DELETE", {}, state, true],
    ["that is for reading does not stand in the way", "GET", { "if-none-match": '"v2"' }, state, true]
  ]
  for (const [name, method, headers, current, holds] of all) {
    it.effect(name, () =>
      Effect.map(Effect.exit(sent(Request.precondition(current), { method, headers })), (exit) =>
        assert.deepStrictEqual(Exit.isSuccess(exit), holds)
      )
    )
  }
  it.effect("fails as a 412", () =>
    Effect.map(failure(Request.precondition(state), { method: "PUT", headers: { "if-match": '"v1"' } }), (found) =>
      assert.deepStrictEqual(found, [412, "The resource is not in the state that the request expects"])
    )
  )
})

it("the types are those of the parts", () => {
  expectTypeOf(Request.params).toEqualTypeOf<
    Effect.Effect<{ readonly [name: string]: string | undefined }, never, RouteContext>
  >()
  expectTypeOf(Request.accepts(["a/b", "c/d"])).toEqualTypeOf<
    Effect.Effect<"a/b" | "c/d", HttpError.NotAcceptable, HttpServerRequest.HttpServerRequest>
  >()
})
