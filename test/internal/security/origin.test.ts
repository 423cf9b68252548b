/**
 * Origins: lists and patterns of them, and what is refused when it is declared.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Origin from "../../../src/internal/security/origin.ts"

type Row = readonly [list: ReadonlyArray<string | RegExp>, origin: string, wanted: boolean]

const rows: ReadonlyArray<Row> = [
  [["https://example.com"], "https://example.com", true],
  [["https://example.com"], "http://example.com", false],
  [["https://example.com"], "https://example.com:8443", false],
  [["https://example.com"], "https://example.com.evil.test", false],
  [["https://example.com"], "https://evil.test/https://example.com", false],
  [["https://example.com"], "HTTPS://EXAMPLE.COM", false],
  [["https://example.com"], "https://example.com/", false],
  [["https://example.com"], "", false],
  [["https://example.com", "http://localhost:3000"], "http://localhost:3000", true],
  [["https://*.example.com"], "https://a.example.com", true],
  [["https://*.example.com"], "https://a.b.example.com", true],
  [["https://*.example.com"], "https://example.com", false],
  [["https://*.example.com"], "https://evilexample.com", false],
  [["https://*.example.com"], "https://a.example.com.evil.test", false],
  [["https://*.example.com"], "https://evil.test/.example.com", false],
  [["https://*.example.com"], "https://evil.test#.example.com", false],
  [["https://*.example.com"], "https://user@a.example.com", false],
  [["https://*.example.com"], "https://a.example.com:1", false],
  [["https://*.example.com"], "https://a.exampleXcom", false],
  [["https://*.example.com"], "https://.example.com", false],
  [["https://*.example.com:*"], "https://a.example.com:8443", true],
  [["http://localhost:*"], "http://localhost", true],
  [["http://localhost:*"], "http://localhost:5173", true],
  [["http://localhost:*"], "http://localhost:5173.evil.test", false],
  [["http://localhost:*"], "http://localhost:", false],
  [["http://[::1]:*"], "http://[::1]:80", true],
  [["http://[::1]"], "http://[::1]", true],
  [["capacitor://localhost"], "capacitor://localhost", true],
  [[/https:\/\/(a|b)\.test/], "https://b.test", true],
  [[/https:\/\/a\.test|https:\/\/b\.test/], "https://b.test.evil.test", false],
  [[/https:\/\/a\.test/m], "x\nhttps://a.test", false],
  [[/https:\/\/a\.test/gy], "https://a.test", true],
  [[/https:\/\/A\.test/i], "https://a.test", true],
  [[/.*/], "null", false],
  [["null"], "null", true],
  [["https://example.com"], "null", false],
  [[], "https://example.com", false]
]

describe("a list of origins", () => {
  for (const [list, origin, wanted] of rows) {
    it(`${list.join(", ")} ${wanted ? "has" : "has not"} ${JSON.stringify(origin)}`, () => {
      const allows = Origin.matcher(list)
      assert.strictEqual(allows(origin), wanted)
      assert.strictEqual(allows(origin), wanted)
    })
  }
})

const wrong: ReadonlyArray<readonly [text: string, cure: string]> = [
  ["https://example.com/", "without a path"],
  ["https://example.com/app", "without a path"],
  ["example.com", "write scheme and host"],
  ["*", "write scheme and host"],
  ["https://*", "write scheme and host"],
  ["https://a.*.example.com", "write scheme and host"],
  ["https://example.com:99999", "write scheme and host"],
  ["https://Example.com", 'write "https://example.com"'],
  ["https://example.com:443", 'write "https://example.com"'],
  ["http://*.Example.com:*", 'write "http://*.example.com:*"'],
  ["", "write scheme and host"]
]

describe("what no browser sends is refused", () => {
  for (const [text, cure] of wrong) {
    it(JSON.stringify(text), () => {
      assert.throws(() => Origin.matcher([text]), TypeError, cure)
    })
  }
})

const authorities: ReadonlyArray<readonly [origin: string, wanted: string | undefined]> = [
  ["https://example.com", "example.com"],
  ["https://example.com:443", "example.com"],
  ["http://example.com:443", "example.com:443"],
  ["https://EXAMPLE.com:8443", "example.com:8443"],
  ["http://[::1]:8080", "[::1]:8080"],
  ["null", undefined],
  ["https://example.com/", undefined],
  ["https://user@example.com", undefined],
  ["//example.com", undefined],
  ["", undefined]
]

describe("the authority of an origin", () => {
  for (const [origin, wanted] of authorities) {
    it(`${JSON.stringify(origin)} is ${wanted}`, () => assert.strictEqual(Origin.authority(origin), wanted))
  }
})

const hosts: ReadonlyArray<readonly [origin: string, host: string, wanted: boolean]> = [
  ["https://example.com", "example.com", true],
  ["https://example.com", "EXAMPLE.com:443", true],
  ["http://example.com:80", "example.com", true],
  ["https://example.com", "example.com:80", false],
  ["http://localhost:3000", "localhost:3000", true],
  ["http://localhost:3000", "localhost", false],
  ["http://[::1]:3000", "[::1]:3000", true],
  ["https://example.com.evil.test", "example.com", false],
  ["null", "null", false],
  ["null", "", false],
  ["", "", false]
]

describe("the host of an origin", () => {
  for (const [origin, host, wanted] of hosts) {
    it(`${JSON.stringify(origin)} is ${wanted ? "" : "not "}for ${JSON.stringify(host)}`, () =>
      assert.strictEqual(Origin.isFor(origin, host), wanted))
  }
})
