/**
 * Params, query, headers and cookies decoded by Schema.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import type * as HttpError from "../../../src/HttpError.ts"
import * as Request from "../../../src/Request.ts"
import { at, having, rows, sent } from "../../requests.ts"

const Page = Schema.Struct({ page: Schema.FiniteFromString, tag: Schema.optionalKey(Schema.Array(Schema.String)) })

rows("decoding", [
  [
    "params decode",
    Request.decodeParams(Schema.Struct({ id: Schema.FiniteFromString })),
    { params: { id: "42" } },
    { id: 42 }
  ],
  ["the query decodes", Request.decodeQuery(Page), at("http://a/?page=2&x=1"), { page: 2 }],
  [
    "one value is an array where the schema wants one",
    Request.decodeQuery(Page),
    at("http://a/?page=2&tag=a"),
    { page: 2, tag: ["a"] }
  ],
  [
    "several values are an array",
    Request.decodeQuery(Page),
    at("http://a/?tag=a&page=2&tag=b"),
    { page: 2, tag: ["a", "b"] }
  ],
  [
    "headers decode by lower-case names",
    Request.decodeHeaders(Schema.Struct({ "x-a": Schema.String })),
    having({ "X-A": "1" }),
    { "x-a": "1" }
  ],
  [
    "cookies decode",
    Request.decodeCookies(Schema.Struct({ n: Schema.FiniteFromString })),
    having({ cookie: "n=3" }),
    { n: 3 }
  ]
])

describe("decoding fails as a 400 with its issues", () => {
  const all = [
    [
      "params",
      Request.decodeParams(Schema.Struct({ id: Schema.FiniteFromString })),
      { params: { id: "secret" } },
      "Invalid params: id: Expected a finite number"
    ],
    ["query", Request.decodeQuery(Page), at("http://a/?page=2&page=3"), "Invalid query: page: Expected string"],
    [
      "headers",
      Request.decodeHeaders(Schema.Struct({ "x-a": Schema.String })),
      {},
      "Invalid headers: x-a: Missing key"
    ],
    [
      "cookies",
      Request.decodeCookies(Schema.Struct({ n: Schema.FiniteFromString })),
      having({ cookie: "n=x" }),
      "Invalid cookies: n: Expected a finite number"
    ]
  ] as const
  for (const [where, effect, from, text] of all) {
    it.effect(where, () =>
      Effect.map(Effect.flip(sent<unknown, HttpError.BadRequest>(effect, from)), (error) => {
        assert.deepStrictEqual([error.status, error.text], [400, text])
        assert.deepStrictEqual(
          error.issues?.map((issue) => issue.in),
          [where]
        )
      })
    )
  }
})

it("a query has the type of its schema", () => {
  expectTypeOf(Request.decodeQuery(Page)).toEqualTypeOf<
    Effect.Effect<typeof Page.Type, HttpError.BadRequest, HttpServerRequest.HttpServerRequest>
  >()
})

describe("texts are read as what the schema wants", () => {
  const Wanted = Schema.Struct({ page: Schema.Int, all: Schema.Boolean })
  const decode = (url: string) =>
    Effect.provideService(
      Request.decodeQuery(Wanted),
      HttpServerRequest.HttpServerRequest,
      HttpServerRequest.fromWeb(new globalThis.Request(`http://localhost${url}`))
    )

  it.effect("a number and a boolean", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* decode("/?page=2&all=true"), { page: 2, all: true })
    })
  )

  it.effect.each([
    "/?page=&all=true",
    "/?page=0x1&all=true",
    "/?page=%201&all=true",
    "/?page=1&all=on",
    "/?page=1.5&all=true"
  ])("%s is refused", (url) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(decode(url))).status, 400)
    })
  )
})
