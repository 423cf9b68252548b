import { assert, describe, it } from "@effect/vitest"
import * as Cookies from "effect/http/Cookies"
import * as Cookie from "../../src/http/Cookie.ts"

describe("Cookie", () => {
  it.each<[string | undefined, object]>([
    [undefined, {}],
    ["", {}],
    [" ; ;", {}],
    // RFC 6265 §3.1
    ["SID=31d4d96e407aad42; lang=en-US", { SID: "31d4d96e407aad42", lang: "en-US" }],
    [
      'session=abc; theme="dark"; greeting=hello%20world; seen',
      { session: "abc", theme: "dark", greeting: "hello world", seen: "" }
    ],
    ["a=1;b=2;\tc=3", { a: "1", b: "2", c: "3" }],
    ["a=b=c==", { a: "b=c==" }],
    ["a=", { a: "" }],
    [" a = 1 ", { a: "1" }],
    // The last of two wins
    ["a=1; a=2", { a: "2" }],
    // Names of the real world
    [
      "ISAWPLB{A7F52349-3531-4DA9}=1; a[0]=2; b(c)=3; d/e=4",
      { "ISAWPLB{A7F52349-3531-4DA9}": "1", "a[0]": "2", "b(c)": "3", "d/e": "4" }
    ],
    [
      "cookie:name=5; cookie@domain=6; path=/; secure",
      { "cookie:name": "5", "cookie@domain": "6", path: "/", secure: "" }
    ],
    // Names that are none are skipped
    ["=a; b=1", { b: "1" }],
    ["=__Host-session=a; b=1", { b: "1" }],
    ['a b=1; c\td=2; e\0=3; f\x7f=4; g,h=5; "i"=6; é=7; j=8', { j: "8" }],
    // Values in quotes
    ['a="quoted value"; b=""; c=" x "', { a: "quoted value", b: "", c: " x " }],
    ['a="say \\"hi\\" \\\\o/"', { a: 'say "hi" \\o/' }],
    ['a="\\073\\054\\303\\251\\012"', { a: ";,Ã©\n" }],
    ['a="\\400"', { a: "400" }],
    ['a="open; b=1', { a: '"open', b: "1" }],
    ['a=open"; b="', { a: 'open"', b: '"' }],
    ['a="x"y', { a: '"x"y' }],
    // A quote does not swallow the cookies after it
    ['a="start; session=secret; b=end"', { a: '"start', session: "secret", b: 'end"' }],
    // Percent-encoding
    ["a=%E2%82%AC%3B+b", { a: "€;+b" }],
    ['a="%22x%22"', { a: '"x"' }],
    ["a=100%; b=%ff%41; c=%zz", { a: "100%", b: "%ff%41", c: "%zz" }],
    ["%61=1", { "%61": "1" }],
    // What other servers allow
    ["a=hello world; b=1", { a: "hello world", b: "1" }],
    ["a=x,y:z@é", { a: "x,y:z@é" }]
  ])("%j is %j", (header, wanted) => assert.deepStrictEqual({ ...Cookie.parse(header) }, wanted))

  it.each(["plain", "", 'a b;c,d"e\\f', "€", "100%", "%41", " x "])(
    "the value %j comes back as Effect writes it",
    (value) => {
      const header = Cookies.toCookieHeader(Cookies.setUnsafe(Cookies.empty, "a", value))
      assert.deepStrictEqual({ ...Cookie.parse(header) }, { a: value })
    }
  )

  it("a cookie may have the name of a property of Object", () => {
    const cookies = Cookie.parse("__proto__=a; constructor=b; hasOwnProperty")
    assert.strictEqual(Object.getPrototypeOf(cookies), null)
    assert.deepStrictEqual(Object.entries(cookies), [
      ["__proto__", "a"],
      ["constructor", "b"],
      ["hasOwnProperty", ""]
    ])
    assert.isFalse("toString" in cookies)
  })

  it.each([";", "=", '"', "\\", '\\"', 'a="', "%", "%4", "a ", " ", 'a="\\1;'])(
    "100 kB of %j are read in one pass",
    (piece) => {
      const text = piece.repeat(100_000 / piece.length)
      const start = performance.now()
      Cookie.parse(text)
      Cookie.parse(`a=${text}`)
      Cookie.parse(`a="${text}"`)
      assert.isBelow(performance.now() - start, 1000)
    }
  )
})
