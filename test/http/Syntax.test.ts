import { assert, describe, it } from "@effect/vitest"
import * as Syntax from "../../src/http/Syntax.ts"

describe("Syntax", () => {
  describe("trim", () => {
    it.each([
      [" \ta b\t ", "a b"],
      ["", ""],
      [" \t ", ""],
      ["\u00a0a\n", "\u00a0a\n"]
    ])("%j is %j without spaces and tabs around it", (text, wanted) => assert.strictEqual(Syntax.trim(text), wanted))
  })

  describe("isToken", () => {
    it.each([
      ["gzip", true],
      ["!#$%&'*+-.^_`|~09azAZ", true],
      ["", false],
      ["a b", false],
      ["a/b", false],
      ["a\n", false],
      ["é", false]
    ])("%j is a token: %j", (text, wanted) => assert.strictEqual(Syntax.isToken(text), wanted))
  })

  describe("quotedEnd and unquote", () => {
    it.each([
      ['"abc"', "abc"],
      ['""', ""],
      ['"a\\"b\\\\c"', 'a"b\\c'],
      ['"\\a\tb"', "a\tb"],
      ['"é"', "é"]
    ])("%j is quoted and means %j", (text, wanted) => {
      assert.strictEqual(Syntax.quotedEnd(text, 0), text.length)
      assert.strictEqual(Syntax.unquote(text), wanted)
    })

    it.each(["", "abc", '"', '"abc', '"abc\\"', '"abc\\', '"a\nb"', '"a\\\nb"', '"a\x7fb"'])(
      "%j is no quoted string",
      (text) => assert.strictEqual(Syntax.quotedEnd(text, 0), -1)
    )
  })

  describe("quote", () => {
    it.each([
      ["a b", '"a b"'],
      ['say "hi" \\o/', '"say \\"hi\\" \\\\o/"'],
      ["", '""']
    ])("%j is written as %s", (text, wanted) => {
      assert.strictEqual(Syntax.quote(text), wanted)
      assert.strictEqual(Syntax.unquote(wanted), text)
    })

    it.each(["a\r\nb", "a\0b", "\x7f", "€"])("%j cannot be quoted", (text) => {
      assert.throws(() => Syntax.quote(text), TypeError, "remove the character at")
    })
  })

  describe("elements", () => {
    it.each<[string, ReadonlyArray<string>]>([
      ["", []],
      [" , ,\t,", []],
      ["a", ["a"]],
      ["a, b ,c", ["a", "b", "c"]],
      ['gzip;q=0.5, "a,b", ,br', ["gzip;q=0.5", '"a,b"', "br"]],
      ['"a\\",b", c', ['"a\\",b"', "c"]],
      ['"open, b', ['"open', "b"]],
      ['a, "b\\", c, "d', ["a", '"b\\", c, "d']],
      ['"open\\", b, c', ['"open\\"', "b", "c"]]
    ])("%j has the elements %j", (header, wanted) => assert.deepStrictEqual(Syntax.elements(header), wanted))
  })

  describe("parameters", () => {
    it.each<[string, object, object | undefined]>([
      ["", {}, {}],
      [' ; charset="utf-8"', { charset: "utf-8" }, { charset: "utf-8" }],
      [";;a=1; ;\tB=2;", { a: "1", b: "2" }, { a: "1", b: "2" }],
      [";a=1;A=2", { a: "1" }, { a: "1" }],
      [';a="1;2"', { a: "1;2" }, { a: "1;2" }],
      [";a=;b=2", { b: "2" }, undefined],
      [";a;b=2", { b: "2" }, undefined],
      [";a = 1;b=2", { b: "2" }, undefined],
      [";a=1 x;b=2", { b: "2" }, undefined],
      [';a="open;b=2', { b: "2" }, undefined],
      [';a="1"x;b=2', { b: "2" }, undefined],
      ["junk;b=2", { b: "2" }, undefined],
      ["junk", {}, undefined]
    ])("%j reads as %j, or as %j when nothing may be broken", (text, skipping, rejecting) => {
      assert.deepStrictEqual({ ...Syntax.parameters(text, 0, "skip") }, skipping)
      const strict = Syntax.parameters(text, 0, "reject")
      assert.deepStrictEqual(strict && { ...strict }, rejecting)
    })

    it("a parameter may have the name of a property of Object", () => {
      const found = Syntax.parameters(";__proto__=a;constructor=b", 0, "skip")
      assert.strictEqual(Object.getPrototypeOf(found), null)
      assert.deepStrictEqual(Object.entries(found), [
        ["__proto__", "a"],
        ["constructor", "b"]
      ])
    })
  })

  it.each([",", ";", '"', "\\", '\\"', '";a="', '="\\"', ';a="\\";', "=", " "])(
    "100 kB of %j are read in one pass",
    (piece) => {
      const text = piece.repeat(100_000 / piece.length)
      const start = performance.now()
      Syntax.elements(text)
      Syntax.elements(`"${text}`)
      Syntax.parameters(text, 0, "skip")
      Syntax.parameters(`;a="${text}`, 0, "skip")
      assert.isBelow(performance.now() - start, 1000)
    }
  )
})
