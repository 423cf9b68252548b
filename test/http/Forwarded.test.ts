import { assert, describe, it } from "@effect/vitest"
import * as Forwarded from "../../src/http/Forwarded.ts"

describe("Forwarded", () => {
  describe("parse", () => {
    it.each<[string | undefined, ReadonlyArray<object>]>([
      [undefined, []],
      ["", [{}]],
      // RFC 7239 §4
      ['for="_gazonk"', [{ for: "_gazonk" }]],
      ['For="[2001:db8:cafe::17]:4711"', [{ for: "[2001:db8:cafe::17]:4711" }]],
      ["for=192.0.2.60;proto=http;by=203.0.113.43", [{ for: "192.0.2.60", proto: "http", by: "203.0.113.43" }]],
      ["for=192.0.2.43, for=198.51.100.17", [{ for: "192.0.2.43" }, { for: "198.51.100.17" }]],
      // §7.1
      [
        'for=192.0.2.43,for="[2001:db8:cafe::17]",for=unknown',
        [{ for: "192.0.2.43" }, { for: "[2001:db8:cafe::17]" }, { for: "unknown" }]
      ],
      // aiohttp's tests
      ["by=identifier;proto=https;some=other", [{ by: "identifier", proto: "https", some: "other" }]],
      ['BY=identifier;SOME="other, \\"value\\""', [{ by: "identifier", some: 'other, "value"' }]],
      [";For=identifier;;PROTO=https;;;", [{ for: "identifier", proto: "https" }]],
      ["for=1.2.3.4:1234", [{ for: "1.2.3.4:1234" }]],
      ["for=1.2.3.4:12345 ;by=x", [{ for: "1.2.3.4:12345", by: "x" }]],
      ["for=a ; for=b", [{ for: "b" }]],
      ['for=""', [{ for: "" }]],
      [" for=a\t,\tfor=b ", [{ for: "a" }, { for: "b" }]],
      [",for=a,,", [{}, { for: "a" }, {}, {}]],
      // A broken element does not hide a later one
      ["very bad syntax, for=_real", [{}, { for: "_real" }]],
      ["BY=identifier PROTO=https, for=_real", [{}, { for: "_real" }]],
      ["for = a, for=_real", [{}, { for: "_real" }]],
      ["for=, for=_real", [{}, { for: "_real" }]],
      ['for="a\nb", for=_real', [{}, { for: "_real" }]],
      ["for=[::1];proto=https, for=_real", [{}, { for: "_real" }]],
      ["for=_kept;broken;proto=https, for=_real", [{ for: "_kept" }, { for: "_real" }]],
      ['for=_injected;by=", for=_real', [{ for: "_injected" }, { for: "_real" }]],
      ['for=_injected;by=", for="[2001:db8::1]"', [{ for: "_injected" }, { for: "[2001:db8::1]" }]],
      ['for=_injected;by="\\, for="[2001:db8::1]";by=_b', [{ for: "_injected" }, { for: "[2001:db8::1]", by: "_b" }]],
      [
        'for=_injected;by=", for=1.1.1.1;host="a.example"',
        [{ for: "_injected" }, { for: "1.1.1.1", host: "a.example" }]
      ]
    ])("%j is %j", (header, wanted) => {
      assert.deepStrictEqual(
        Forwarded.parse(header).map((element) => ({ ...element })),
        wanted
      )
    })

    it("a parameter may have the name of a property of Object", () => {
      const [element = {}] = Forwarded.parse("__proto__=a;constructor=b")
      assert.strictEqual(Object.getPrototypeOf(element), null)
      assert.deepStrictEqual(Object.entries(element), [
        ["__proto__", "a"],
        ["constructor", "b"]
      ])
    })
  })

  describe("node", () => {
    it.each<[string, ReturnType<typeof Forwarded.node>]>([
      ["192.0.2.1", { address: "192.0.2.1", port: undefined }],
      ["192.0.2.1:80", { address: "192.0.2.1", port: "80" }],
      // RFC 7239 §6
      ["192.0.2.43:47011", { address: "192.0.2.43", port: "47011" }],
      ["[2001:db8:cafe::17]:47011", { address: "2001:db8:cafe::17", port: "47011" }],
      ['"[2001:db8::1]:4711"', { address: "2001:db8::1", port: "4711" }],
      ["[2001:db8::1]", { address: "2001:db8::1", port: undefined }],
      ["[::ffff:192.0.2.1]:_p", { address: "::ffff:192.0.2.1", port: "_p" }],
      ["unknown", { address: "unknown", port: undefined }],
      ["Unknown:80", { address: "Unknown", port: "80" }],
      ["_hidden", { address: "_hidden", port: undefined }],
      ["_SEVKISEK:_a.b-c", { address: "_SEVKISEK", port: "_a.b-c" }],
      ["", undefined],
      ["_", undefined],
      ['"', undefined],
      ["localhost", undefined],
      ["192.0.2", undefined],
      ["192.0.2.256", undefined],
      ["192.0.2.01", undefined],
      ["192.0.2.1.", undefined],
      ["192.0.2.1:", undefined],
      ["192.0.2.1:123456", undefined],
      ["192.0.2.1:80:80", undefined],
      ["2001:db8::1", undefined],
      ["[]", undefined],
      ["[::1", undefined],
      ["[::1]80", undefined],
      ["[::1%eth0]", undefined],
      ["[192.0.2.1]", undefined],
      ["[1::2::3]", undefined],
      ["::1]:80", undefined],
      [" 192.0.2.1", undefined],
      ["192.0.2.1\n", undefined]
    ])("%j is %j", (text, wanted) => assert.deepStrictEqual(Forwarded.node(text), wanted))
  })

  it("an element and its node read as in the example", () => {
    const [first] = Forwarded.parse('for="[2001:db8::1]:4711";proto=https, for=192.0.2.60')
    assert.deepStrictEqual(Forwarded.node(first?.for ?? ""), { address: "2001:db8::1", port: "4711" })
  })

  it.each([",", ";", '"', "\\", '\\"', 'a="', 'a=",', 'a="\\",', 'a="x",b"', "a=b", " ", ":1", "[", "1."])(
    "100 kB of %j are read in one pass",
    (piece) => {
      const text = piece.repeat(100_000 / piece.length)
      const start = performance.now()
      Forwarded.parse(text)
      Forwarded.parse(`for="${text}`)
      Forwarded.parse(`for="${text}"x`)
      Forwarded.node(text)
      Forwarded.node(`[${text}]`)
      assert.isBelow(performance.now() - start, 1000)
    }
  )
})
