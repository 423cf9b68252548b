import { assert, describe, it } from "@effect/vitest"
import * as EntityTag from "../../src/http/EntityTag.ts"

const strong = (value: string): EntityTag.EntityTag => ({ value, weak: false })
const weak = (value: string): EntityTag.EntityTag => ({ value, weak: true })

describe("EntityTag", () => {
  describe("parse", () => {
    it.each<[string, EntityTag.EntityTag | undefined]>([
      // RFC 9110 §8.8.3
      ['"xyzzy"', strong("xyzzy")],
      ['W/"xyzzy"', weak("xyzzy")],
      ['""', strong("")],
      [' "a" ', strong("a")],
      ['"~!#\\,é"', strong("~!#\\,é")],
      ['w/"a"', undefined],
      ["a", undefined],
      ["*", undefined],
      ['"a', undefined],
      ['"', undefined],
      ['W/"', undefined],
      ["W/", undefined],
      ["", undefined],
      ['"a b"', undefined],
      ['"a"b"', undefined],
      ['"a", "b"', undefined],
      ['"a\x7f"', undefined]
    ])("%j is %j", (text, wanted) => assert.deepStrictEqual(EntityTag.parse(text), wanted))
  })

  describe("parseList", () => {
    it.each<[string | undefined, "*" | ReadonlyArray<EntityTag.EntityTag>]>([
      [undefined, []],
      ["", []],
      ["*", "*"],
      [" * ", "*"],
      // RFC 9110 §13.1.2
      ['"xyzzy"', [strong("xyzzy")]],
      ['W/"xyzzy"', [weak("xyzzy")]],
      ['"xyzzy", "r2d2xxxx", "c3piozzzz"', [strong("xyzzy"), strong("r2d2xxxx"), strong("c3piozzzz")]],
      ['W/"xyzzy",W/"r2d2xxxx" , "c"', [weak("xyzzy"), weak("r2d2xxxx"), strong("c")]],
      ['"a,b", "c"', [strong("a,b"), strong("c")]],
      [', ,"a",,"b",', [strong("a"), strong("b")]],
      // Reading stops at the first malformed tag
      ['"a", b, "c"', [strong("a")]],
      ['"a", *', [strong("a")]],
      ['"a" "b"', []],
      ['"a", "b', [strong("a")]],
      ["a", []]
    ])("%j is %j", (header, wanted) => assert.deepStrictEqual(EntityTag.parseList(header), wanted))
  })

  it.each([strong("a"), weak("a"), strong(""), weak("a\\,~")])("%j is written so that it reads back", (tag) => {
    assert.deepStrictEqual(EntityTag.parse(EntityTag.format(tag)), tag)
  })

  it("a made tag is strong unless it is said to be weak", () => {
    assert.deepStrictEqual(EntityTag.make("v1"), strong("v1"))
    assert.strictEqual(EntityTag.format(EntityTag.make("v1", { weak: true })), 'W/"v1"')
  })

  it.each(['a"b', "a b", "a\r\nb", "\t", "\x7f", "€"])("%j is a TypeError as the value of a tag", (value) => {
    assert.throws(() => EntityTag.make(value), TypeError, "encode the character at")
  })

  // RFC 9110 §8.8.3.2
  it.each<[string, string, boolean, boolean]>([
    ['W/"1"', 'W/"1"', false, true],
    ['W/"1"', 'W/"2"', false, false],
    ['W/"1"', '"1"', false, true],
    ['"1"', '"1"', true, true]
  ])("%s and %s: strong comparison %j, weak comparison %j", (left, right, strongly, weakly) => {
    const [first, second] = [EntityTag.parse(left)!, EntityTag.parse(right)!]
    assert.strictEqual(EntityTag.strongEquals(first, second), strongly)
    assert.strictEqual(EntityTag.weakEquals(first, second), weakly)
  })

  it.each([",", " ", '"', "\\", '"a",', '"a"  ', "W/"])("100 kB of %j are read in one pass", (piece) => {
    const start = performance.now()
    EntityTag.parseList(piece.repeat(100_000 / piece.length))
    EntityTag.parseList(`"${piece.repeat(100_000 / piece.length)}`)
    assert.isBelow(performance.now() - start, 1000)
  })
})
