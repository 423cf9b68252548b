import { assert, describe, it } from "@effect/vitest"
import * as MediaType from "../../src/http/MediaType.ts"

describe("MediaType", () => {
  describe("parse", () => {
    it.each<[string, string, object]>([
      // The four spellings of RFC 9110 §8.3.1
      ["text/html;charset=utf-8", "text/html", { charset: "utf-8" }],
      ['Text/HTML;Charset="utf-8"', "text/html", { charset: "utf-8" }],
      ['text/html; charset="utf-8"', "text/html", { charset: "utf-8" }],
      ["text/html;charset=UTF-8", "text/html", { charset: "UTF-8" }],
      [" application/vnd.api+json ", "application/vnd.api+json", {}],
      ['multipart/form-data; boundary="a \\"b\\"; c"', "multipart/form-data", { boundary: 'a "b"; c' }],
      ["text/plain; charset=utf-8; charset=latin1", "text/plain", { charset: "utf-8" }],
      ["text/plain;;; format=flowed ;", "text/plain", { format: "flowed" }],
      // Malformed parameters are skipped
      ["text/plain; charset", "text/plain", {}],
      ["text/plain; charset = utf-8", "text/plain", {}],
      ['text/plain; charset="utf-8; format=flowed', "text/plain", { format: "flowed" }],
      ["*/*", "*/*", {}]
    ])("%j is %s with %j", (text, essence, parameters) => {
      const parsed = MediaType.parse(text)
      assert.strictEqual(parsed?.essence, essence)
      assert.deepStrictEqual({ ...parsed?.parameters }, parameters)
    })

    it.each([
      "",
      ";",
      "text",
      "text/",
      "/html",
      "text/html/x",
      "text /html",
      "text/html, text/plain",
      "té/xt",
      "a/b\r\n"
    ])("%j is no media type", (text) => assert.isUndefined(MediaType.parse(text)))

    it("a parameter may have the name of a property of Object", () => {
      const parameters = MediaType.parse("a/b; __proto__=x; constructor=y")?.parameters ?? {}
      assert.strictEqual(Object.getPrototypeOf(parameters), null)
      assert.deepStrictEqual(Object.keys(parameters), ["__proto__", "constructor"])
      assert.isFalse("toString" in parameters)
    })
  })

  it.each([
    ["application/json", true],
    ["text/json", true],
    ["application/problem+json", true],
    ["application/jsonp", false],
    ["text/html", false],
    ["", false]
  ])("%j is JSON: %j", (essence, wanted) => assert.strictEqual(MediaType.isJson(essence), wanted))

  describe("format", () => {
    it.each<[MediaType.MediaType, string]>([
      [{ essence: "text/html", parameters: {} }, "text/html"],
      [{ essence: "text/html", parameters: { charset: "utf-8" } }, "text/html; charset=utf-8"],
      [{ essence: "a/b", parameters: { c: 'x "y"', d: "" } }, 'a/b; c="x \\"y\\""; d=""']
    ])("%j is written as %s", (mediaType, wanted) => {
      assert.strictEqual(MediaType.format(mediaType), wanted)
      assert.deepStrictEqual({ ...MediaType.parse(wanted)?.parameters }, { ...mediaType.parameters })
    })

    it.each<[string, MediaType.MediaType, string]>([
      ["an essence that is none", { essence: "html", parameters: {} }, 'write "type/subtype"'],
      ["a name that is no token", { essence: "a/b", parameters: { "c d": "" } }, "write a token"],
      ["a line break in a value", { essence: "a/b", parameters: { c: "\r\nx: y" } }, "remove the character at 0"]
    ])("%s is a TypeError", (_, mediaType, message) => {
      assert.throws(() => MediaType.format(mediaType), TypeError, message)
    })
  })

  it.each([";", '"', "\\", ';a="', ';a="\\"', "a/"])("100 kB of %j are read in one pass", (piece) => {
    const start = performance.now()
    MediaType.parse(piece.repeat(100_000 / piece.length))
    MediaType.parse(`a/b;c="${piece.repeat(100_000 / piece.length)}`)
    assert.isBelow(performance.now() - start, 1000)
  })
})
