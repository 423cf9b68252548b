import { assert, describe, it } from "@effect/vitest"
import * as Host from "../../src/http/Host.ts"

describe("Host", () => {
  describe("parse", () => {
    it.each<[string, string, number | undefined]>([
      ["www.example.org", "www.example.org", undefined],
      ["API.example.com:8080", "api.example.com", 8080],
      ["example.com:", "example.com", undefined],
      ["example.com:0", "example.com", 0],
      ["example.com:00080", "example.com", 80],
      ["example.com:65535", "example.com", 65535],
      ["example.com.", "example.com.", undefined],
      ["192.0.2.1:80", "192.0.2.1", 80],
      ["[2001:DB8::1]", "[2001:db8::1]", undefined],
      ["[::1]:8080", "[::1]", 8080],
      ["[::ffff:192.0.2.1]:", "[::ffff:192.0.2.1]", undefined],
      ["b%C3%BCcher.example", "b%c3%bccher.example", undefined],
      ["a_b-c~!$&'()*+,;=.example", "a_b-c~!$&'()*+,;=.example", undefined]
    ])("%j is the host %j with the port %j", (text, hostname, port) => {
      assert.deepStrictEqual(Host.parse(text), { hostname, port })
    })

    it.each([
      "",
      ":80",
      "user@example.com",
      "user:pass@example.com",
      "example.com:80:80",
      "example.com:65536",
      "example.com:99999999999999999999",
      "example.com:8o",
      "example.com:-1",
      "example.com:+1",
      "example.com:٨",
      "example.com: 80",
      " example.com",
      "exam ple.com",
      "example.com\n",
      "example.com/",
      "example.com?x",
      "example.com#x",
      "example.com\\x",
      "a<b",
      'a"b',
      "a%",
      "a%2",
      "a%zz",
      "bücher.example",
      "[",
      "[]",
      "[::1",
      "::1",
      "[::1]x",
      "[::1]x:80",
      "[::1]]",
      "[1::2::3]",
      "[::12345]",
      "[::%eth0]",
      "[v1.fe80::a]",
      "[192.0.2.1]",
      "a[::1]",
      "[::1]:80]"
    ])("%j is no host", (text) => assert.isUndefined(Host.parse(text)))
  })

  describe("pattern", () => {
    it.each<[string, string, object | undefined]>([
      ["api.example.com", "api.example.com", {}],
      ["API.Example.com", "api.EXAMPLE.com", {}],
      ["api.example.com", "api.example.com.", {}],
      ["api.example.com", "example.com", undefined],
      ["api.example.com", "x.api.example.com", undefined],
      ["api.example.com", "api.example.org", undefined],
      ["localhost", "localhost", {}],
      ["127.0.0.1", "127.0.0.1", {}],
      ["[::1]", "[::1]", {}],
      ["bücher.example", "xn--bcher-kva.example", {}],
      ["BÜCHER.example", "xn--bcher-kva.example", {}],
      ["*.example.com", "a.example.com", {}],
      ["*.example.com", "a.b.EXAMPLE.com", {}],
      ["*.example.com", "example.com", undefined],
      ["*.example.com", ".example.com", undefined],
      ["*.example.com", "a..example.com", undefined],
      ["*.example.com", "aexample.com", undefined],
      ["*.example.com", "a.example.com.evil", undefined],
      ["{tenant}.example.com", "Acme.example.com", { tenant: "acme" }],
      ["{tenant}.example.com", "a.b.example.com", undefined],
      ["{tenant}.example.com", "example.com", undefined],
      ["{tenant}.example.com", ".example.com", undefined],
      ["{tenant}.{region}.example.com", "acme.eu.example.com", { tenant: "acme", region: "eu" }],
      ["*.{region}.example.com", "a.b.eu.example.com", { region: "eu" }],
      ["api.{region}.example", "api.eu.example", { region: "eu" }],
      ["api.example.com", "", undefined],
      ["{a}", "", undefined]
    ])("%j and the host name %j give %j", (text, hostname, wanted) => {
      const captured = Host.pattern(text).match(hostname)
      assert.deepStrictEqual(captured && { ...captured }, wanted)
    })

    it.each<[string, string, ReadonlyArray<string>, boolean]>([
      ["API.Bücher.example", "api.xn--bcher-kva.example", [], true],
      ["*.Example.com", "*.example.com", [], false],
      ["{Tenant}.{b}.Example.com", "{Tenant}.{b}.example.com", ["Tenant", "b"], false]
    ])("%j is normalised to %j with the names %j, exact: %j", (text, normal, names, exact) => {
      const pattern = Host.pattern(text)
      assert.strictEqual(pattern.text, normal)
      assert.deepStrictEqual(pattern.names, names)
      assert.strictEqual(pattern.exact, exact)
    })

    it("a label may be captured under the name of a property of Object", () => {
      const captured = Host.pattern("{__proto__}.{constructor}.example").match("a.b.example") ?? {}
      assert.strictEqual(Object.getPrototypeOf(captured), null)
      assert.deepStrictEqual(Object.entries(captured), [
        ["__proto__", "a"],
        ["constructor", "b"]
      ])
    })

    it.each([
      ["", "remove the empty label"],
      ["a..b", "remove the empty label"],
      [".example.com", "remove the empty label"],
      ["example.com.", "remove the empty label"],
      ["https://example.com", "without scheme and path"],
      ["example.com/path", "without scheme and path"],
      ["example.com:8080", "remove the port"],
      ["[::1]:80", "without a port"],
      ["[nonsense]", "write an IPv6 address"],
      ["*", 'write "*" as the first of several labels only'],
      ["a.*.example", 'write "*" as the first of several labels only'],
      ["a*.example", 'write "*" as the first of several labels only'],
      ["{}.example", 'write "{name}" as a whole label'],
      ["x{a}.example", 'write "{name}" as a whole label'],
      ["{a-b}.example", 'write "{name}" as a whole label'],
      ["{a}.{a}.example", 'rename one of the two labels "{a}"'],
      ["-a.example", '"-a" is not a label'],
      ["a b.example", '"a b" is not a label'],
      ["user@example.com", '"user@example" is not a label'],
      ["a%20b.example", '"a%20b" is not a label'],
      ["ü@b.example", '"ü@b" is not a label'],
      ["a。b.example", '"a。b" is not a label'],
      ["\ufffd.example", "is not a label"]
    ])("%j is a TypeError: %s", (text, message) => assert.throws(() => Host.pattern(text), TypeError, message))
  })

  it.each(["a", ".", "a.", ":", "%", "%4", "%41", "[", "[:", "1", "-"])(
    "100 kB of %j are read in one pass",
    (piece) => {
      const text = piece.repeat(100_000 / piece.length)
      const patterns = ["example.com", "*.example.com", "{a}.example.com"].map(Host.pattern)
      const start = performance.now()
      Host.parse(text)
      Host.parse(`[${text}]`)
      Host.parse(`a:${text}`)
      for (const pattern of patterns) pattern.match(`${text}.example.com`)
      assert.isBelow(performance.now() - start, 1000)
    }
  )
})
