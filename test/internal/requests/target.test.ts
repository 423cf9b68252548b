/**
 * What a request is for, from the several forms of target and from several adapters.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Request from "../../../src/Request.ts"
import { at, having, request, rows } from "../../requests.ts"

const href = Effect.map(Request.url, (url) => url.href)

rows("the target", [
  ["the method is as sent", Request.method, { method: "DELETE" }, "DELETE"],
  ["the url is absolute", href, at("http://app.test:81/a%20b?x=1"), "http://app.test:81/a%20b?x=1"],
  ["the url has the Host of the request", href, having({ host: "other.test:8080" }), "http://other.test:8080/"],
  ["the url has https where the connection has", href, at("https://app.test/x"), "https://app.test/x"],
  ["a path of two slashes names no host", href, at("http://app.test//evil.test/x"), "http://app.test//evil.test/x"],
  ["a Host that no URL can have is no host", href, having({ host: "999.1.1.1" }), "http://localhost/"],
  ["a malformed Host is no host", href, having({ host: "a b" }), "http://localhost/"],
  ["the path is decoded once", Request.path, at("http://app.test/a%20b%2Fc%2525?x"), "/a b/c%25"],
  ["the path is raw when malformed", Request.path, at("http://app.test/%E0%A4"), "/%E0%A4"],
  ["the raw path has no query", Request.rawPath, at("http://app.test/a%20b?x=1"), "/a%20b"],
  ["the query string is not decoded", Request.queryString, at("http://app.test/?a=%20&b"), "a=%20&b"],
  ["no query string is empty", Request.queryString, at("http://app.test/"), ""],
  ["the protocol is that of the connection", Request.protocol, at("https://app.test/"), "https"],
  ["a header says nothing of the protocol", Request.protocol, having({ "x-forwarded-proto": "https" }), "http"],
  ["the host has its port", Request.host, having({ host: "App.Test:81" }), "app.test:81"],
  ["a malformed host is empty", Request.host, having({ host: "a/b" }), ""]
])

describe("the adapters of Node", () => {
  const of = (fields: object) =>
    Object.create(
      request({}),
      Object.getOwnPropertyDescriptors({
        url: "/x",
        originalUrl: "/x",
        source: { socket: {} },
        headers: {},
        protocol: undefined,
        ...fields
      })
    )
  const all: ReadonlyArray<
    readonly [string, Effect.Effect<unknown, never, HttpServerRequest.HttpServerRequest>, object, unknown]
  > = [
    [
      "an absolute-form target wins over Host",
      href,
      { url: "http://other:81/info?a#b", headers: { host: "app" } },
      "http://other:81/info?a"
    ],
    ["an absolute-form target without a path is the root", Request.rawPath, { url: "http://other" }, "/"],
    ["an asterisk is the server itself", href, { url: "*", headers: { host: "app" } }, "http://app/"],
    ["no host at all is localhost", href, {}, "http://localhost/x"],
    ["no host at all is empty", Request.host, {}, ""],
    ["TLS is https", Request.protocol, { source: { socket: { encrypted: true } } }, "https"],
    ["a client cannot claim https", Request.protocol, { originalUrl: "https://app/" }, "http"],
    ["a trusted proxy can", Request.protocol, { protocol: "https" }, "https"],
    ["a body of chunks is a body", Request.hasBody, { headers: { "transfer-encoding": "chunked" } }, true],
    ["without a length and chunks there is no body", Request.hasBody, {}, false],
    [
      "a body whose coding is undone is a body",
      Request.hasBody,
      { source: { headers: { "content-length": "3" } } },
      true
    ],
    ["HTTP/2 says whether a body follows", Request.hasBody, { source: { stream: { endAfterHeaders: false } } }, true],
    ["HTTP/2 says that none follows", Request.hasBody, { source: { stream: { endAfterHeaders: true } } }, false]
  ]
  for (const [name, effect, fields, wanted] of all) {
    it.effect(name, () =>
      Effect.map(Effect.provideService(effect, HttpServerRequest.HttpServerRequest, of(fields)), (found) =>
        assert.deepStrictEqual(found, wanted)
      )
    )
  }
})
