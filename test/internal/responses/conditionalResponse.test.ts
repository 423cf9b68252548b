/**
 * Conditional requests for what handlers give.
 */
import { assert, describe, it } from "@effect/vitest"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as HttpError from "../../../src/HttpError.ts"
import { apply } from "../../../src/internal/responses/conditionalResponse.ts"
import * as Response from "../../../src/Response.ts"

const date = new Date("2026-01-02T03:04:05Z")
const before = "Fri, 02 Jan 2026 03:04:04 GMT"
const same = "Fri, 02 Jan 2026 03:04:05 GMT"
const tagged = Response.text("a").pipe(Response.etag("v1"))
const weak = Response.text("a").pipe(Response.etag({ value: "v1", weak: true }))
const dated = Response.text("a").pipe(Response.lastModified(date))
const both = dated.pipe(Response.etag("v1"))

const ask = (method: string, headers: Record<string, string>) =>
  HttpServerRequest.fromWeb(new Request("http://localhost/", { method, headers }))

type Row = readonly [
  name: string,
  method: string,
  headers: Record<string, string>,
  response: HttpServerResponse,
  wanted: number
]
const rows: ReadonlyArray<Row> = [
  ["no condition", "GET", {}, both, 200],
  ["a matching If-None-Match", "GET", { "if-none-match": '"v1"' }, tagged, 304],
  ["a matching If-None-Match of HEAD", "HEAD", { "if-none-match": '"v1"' }, tagged, 304],
  ["one of several tags", "GET", { "if-none-match": '"v0", W/"v1"' }, tagged, 304],
  ["a weak tag", "GET", { "if-none-match": '"v1"' }, weak, 304],
  ["any tag", "GET", { "if-none-match": "*" }, tagged, 304],
  ["another tag", "GET", { "if-none-match": '"v2"' }, tagged, 200],
  ["If-None-Match before If-Modified-Since", "GET", { "if-none-match": '"v2"', "if-modified-since": same }, both, 200],
  ["not modified since", "GET", { "if-modified-since": same }, dated, 304],
  ["modified since", "GET", { "if-modified-since": before }, dated, 200],
  ["no date to compare", "GET", { "if-modified-since": same }, tagged, 200],
  ["a date that is none", "GET", { "if-modified-since": same }, Response.setHeader(dated, "last-modified", "now"), 200],
  ["a matching If-Match", "GET", { "if-match": '"v1"' }, tagged, 200],
  ["a failing If-Match", "GET", { "if-match": '"v2"' }, tagged, 412],
  ["If-Match is strong", "GET", { "if-match": 'W/"v1"' }, weak, 412],
  [
    "a header that is no tag matches none",
    "GET",
    { "if-none-match": '"v1"' },
    Response.setHeader(tagged, "etag", "v1"),
    200
  ],
  ["unmodified since", "GET", { "if-unmodified-since": same }, dated, 200],
  ["not unmodified since", "GET", { "if-unmodified-since": before }, dated, 412],
  ["a response without validators", "GET", { "if-none-match": "*", "if-match": '"a"' }, Response.text("a"), 200],
  ["POST", "POST", { "if-none-match": '"v1"', "if-match": '"v2"' }, tagged, 200],
  ["another 2xx", "GET", { "if-none-match": '"v1"' }, Response.setStatus(tagged, 203), 304],
  ["a redirect", "GET", { "if-none-match": '"v1"' }, Response.setStatus(tagged, 302), 302],
  ["an error", "GET", { "if-match": '"v2"' }, Response.setStatus(tagged, 404), 404]
]

describe("the status for", () => {
  for (const [name, method, headers, response, wanted] of rows) {
    it(`${name} is ${wanted}`, () => {
      const answer = apply(ask(method, headers), response)
      assert.strictEqual(answer.status, wanted)
      assert.strictEqual(answer === response, wanted === response.status)
      assert.strictEqual(answer instanceof HttpError.PreconditionFailed, wanted === 412)
    })
  }
})

describe("a 304", () => {
  const full = Response.json(
    { a: 1 },
    {
      headers: {
        "cache-control": "no-cache",
        "content-location": "/a",
        "content-language": "en",
        "content-encoding": "gzip",
        "content-disposition": "inline",
        date: same,
        expires: same,
        vary: "Accept",
        "access-control-allow-origin": "*",
        "content-security-policy": "default-src 'self'",
        "x-request-id": "7"
      }
    }
  ).pipe(Response.etag("v1"), Response.lastModified(date), Response.setCookie("a", "1"))

  const answer = apply(ask("GET", { "if-none-match": '"v1"' }), full) as HttpServerResponse

  it("has no body and none of its metadata, and keeps the rest", () => {
    assert.strictEqual(answer.body._tag, "Empty")
    assert.deepStrictEqual(
      { ...answer.headers },
      {
        "cache-control": "no-cache",
        "content-location": "/a",
        date: same,
        etag: '"v1"',
        expires: same,
        "last-modified": same,
        vary: "Accept",
        "access-control-allow-origin": "*",
        "content-security-policy": "default-src 'self'",
        "x-request-id": "7"
      }
    )
  })

  it("keeps the cookies", () => assert.strictEqual(answer.cookies, full.cookies))
})

describe("a body that is not sent is closed:", () => {
  const closed: Array<string> = []
  const open = (name: string) => new ReadableStream({ cancel: () => void closed.push(name) })
  const bodies: ReadonlyArray<readonly [name: string, body: unknown]> = [
    ["a web stream", open("a web stream")],
    ["a web response", new globalThis.Response(open("a web response"))],
    ["a Node stream", { destroy: () => void closed.push("a Node stream") }]
  ]
  for (const [name, body] of bodies) {
    it(name, () => {
      assert.strictEqual(
        apply(ask("GET", { "if-none-match": "*" }), Response.etag(Response.raw(body), "v1")).status,
        304
      )
      assert.include(closed, name)
    })
  }

  const others: ReadonlyArray<unknown> = [new globalThis.Response(), new Blob(["a"]), null, "a"]
  it("others need no closing", () => {
    for (const body of others) {
      assert.strictEqual(apply(ask("GET", { "if-match": '"b"' }), Response.etag(Response.raw(body), "v1")).status, 412)
    }
  })

  it("one that is read already does no harm", () => {
    for (const locked of [open("locked"), new globalThis.Response("locked")]) {
      if (locked instanceof ReadableStream) locked.getReader()
      else locked.body?.getReader()
      assert.strictEqual(
        apply(ask("GET", { "if-none-match": "*" }), Response.etag(Response.raw(locked), "v1")).status,
        304
      )
    }
  })
})
