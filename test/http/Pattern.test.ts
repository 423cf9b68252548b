import { assert, describe, it } from "@effect/vitest"
import * as Pattern from "../../src/http/Pattern.ts"

const id = { name: "id", regex: undefined }

const thrown = (f: () => unknown): string => {
  try {
    f()
  } catch (error) {
    assert.instanceOf(error, TypeError)
    return (error as TypeError).message
  }
  return assert.fail("nothing was thrown")
}

describe("Pattern", () => {
  describe("parse", () => {
    it.each<[string, ReadonlyArray<Pattern.Part>]>([
      ["", []],
      ["/", ["/"]],
      ["/users", ["/users"]],
      ["/users/", ["/users/"]],
      ["//users", ["//users"]],
      ["/users/{id}", ["/users/", id]],
      ["/{id}", ["/", id]],
      ["/{id}/", ["/", id, "/"]],
      ["/{name}.{ext}", ["/", { name: "name", regex: undefined }, ".", { name: "ext", regex: undefined }]],
      ["/{a}{b}", ["/", { name: "a", regex: undefined }, { name: "b", regex: undefined }]],
      ["/{id:\\d+}", ["/", { name: "id", regex: "\\d+" }]],
      ["/{id:\\d{2,4}}", ["/", { name: "id", regex: "\\d{2,4}" }]],
      ["/{id:(?:a{2}){3}}/x", ["/", { name: "id", regex: "(?:a{2}){3}" }, "/x"]],
      ["/{id:a:b}", ["/", { name: "id", regex: "a:b" }]],
      ["/{id:\\{x\\}}", ["/", { name: "id", regex: "\\{x\\}" }]],
      ["/{id:\\}}", ["/", { name: "id", regex: "\\}" }]],
      ["/{id:\\\\}/x", ["/", { name: "id", regex: "\\\\" }, "/x"]],
      ["/{id:[}]}", ["/", { name: "id", regex: "[}]" }]],
      ["/{id:[{]+}/{b}", ["/", { name: "id", regex: "[{]+" }, "/", { name: "b", regex: undefined }]],
      ["/{id:[\\]}]}", ["/", { name: "id", regex: "[\\]}]" }]],
      ["/{id:a/b}", ["/", { name: "id", regex: "a/b" }]],
      ["/files/{path:.*}", ["/files/", { name: "path", regex: ".*" }]],
      ["/core/locations{tail:.*}", ["/core/locations", { name: "tail", regex: ".*" }]],
      ["/{_:x}", ["/", { name: "_", regex: "x" }]],
      [
        "/{__proto__}/{constructor}",
        ["/", { name: "__proto__", regex: undefined }, "/", { name: "constructor", regex: undefined }]
      ],
      ["/рус", ["/рус"]],
      ["/%D1%80", ["/р"]],
      ["/a b", ["/a b"]],
      ["/a%20b", ["/a b"]],
      ["/a:b", ["/a:b"]],
      ["/a%3Ab", ["/a:b"]],
      ["/a%2fb", ["/a%2Fb"]],
      ["/a%2Fb", ["/a%2Fb"]],
      ["/100%25", ["/100%25"]],
      ["/%7Bid%7D", ["/{id}"]],
      ["/a%3Fb%23", ["/a?b#"]],
      ["/a\\b", ["/a\\b"]]
    ])("%j has the parts %j", (path, parts) => {
      const pattern = Pattern.parse(path)
      assert.deepStrictEqual(pattern.parts, parts)
      assert.strictEqual(pattern.path, path)
      assert.deepStrictEqual(
        pattern.names,
        parts.flatMap((part) => (typeof part === "string" ? [] : [part.name]))
      )
      assert.strictEqual(pattern.fixed, pattern.names.length === 0 ? parts.join("") : undefined)
    })

    it.each([
      ["users", `it does not start with "/"; write "/users"`],
      ["{id}", `it does not start with "/"; write "/{id}"`],
      [" /", `it does not start with "/"; write "/ /"`],
      ["/a}", `the "}" at 2 closes nothing; remove it, or write "%7D" for one in the path`],
      ["/{id}}", `the "}" at 5 closes nothing; remove it, or write "%7D" for one in the path`],
      ["/a?b=1", `a path has no "?"; describe the query in the route, or write "%3F" for one in the path`],
      ["/{id}?", `a path has no "?"; describe the query in the route, or write "%3F" for one in the path`],
      ["/a#b", `a path has no "#"; remove it, or write "%23" for one in the path`],
      ["/100%", `"/100%" is not percent-encoded UTF-8; write "%25" for a percent sign`],
      ["/%zz", `"/%zz" is not percent-encoded UTF-8; write "%25" for a percent sign`],
      ["/{id}/%ff", `"/%ff" is not percent-encoded UTF-8; write "%25" for a percent sign`],
      ["/%2{id}", `"/%2" is not percent-encoded UTF-8; write "%25" for a percent sign`],
      ["/{id", `the "{" at 1 is not closed; add "}", or write "\\{" for one in a regex, "%7B" for one in the path`],
      ["/a/{", `the "{" at 3 is not closed; add "}", or write "\\{" for one in a regex, "%7B" for one in the path`],
      [
        "/{id:\\d{2}",
        `the "{" at 1 is not closed; add "}", or write "\\{" for one in a regex, "%7B" for one in the path`
      ],
      ["/{id:[a}", `the "{" at 1 is not closed; add "}", or write "\\{" for one in a regex, "%7B" for one in the path`],
      ["/{id:\\}", `the "{" at 1 is not closed; add "}", or write "\\{" for one in a regex, "%7B" for one in the path`],
      ["/items/:id", `":id" is the parameter of another library; write "{id}"`],
      ["/:id?/x", `":id?" is the parameter of another library; write "{id}"`],
      ["/files/*", `"*" is the parameter of another library; write "{path:.*}"`],
      ["/{}", `"" is no parameter name; use letters, digits and "_", and no digit first`],
      ["/{:x}", `"" is no parameter name; use letters, digits and "_", and no digit first`],
      ["/{1a}", `"1a" is no parameter name; use letters, digits and "_", and no digit first`],
      ["/{ id }", `" id " is no parameter name; use letters, digits and "_", and no digit first`],
      ["/{user-id}", `"user-id" is no parameter name; use letters, digits and "_", and no digit first`],
      ["/{ключ}", `"ключ" is no parameter name; use letters, digits and "_", and no digit first`],
      ["/{id\n}", `"id\n" is no parameter name; use letters, digits and "_", and no digit first`],
      ["/{*path}", `"*path" is no parameter name; use letters, digits and "_", and no digit first`],
      ["/{id}/{id}", `the parameter "id" is there twice; give each its own name`],
      ["/{id:}", `the regex of "id" is empty; write {id} for one segment`],
      ["/{id:(}", `the regex of "id" does not compile (Unterminated group); mend it`],
      ["/{id:+}", `the regex of "id" does not compile (Nothing to repeat); mend it`],
      ["/{id:\\y}", `the regex of "id" does not compile (Invalid escape); mend it`],
      ["/{id:a)(b}", `the regex of "id" does not compile (Unmatched ')'); mend it`],
      ["/{id:(a)\\1}", `the regex of "id" refers to a group by number; name it, as (?<x>a), and write \\k<x>`],
      ["/{id:(?<id>a)}", `a group has a name that is taken; give it another`],
      ["/{id:(?<b>a)}/{b}", `a group has a name that is taken; give it another`],
      ["/{a}/{id:(?<a>a)}", `a group has a name that is taken; give it another`]
    ])("%j is a TypeError: %s", (path, message) => {
      assert.strictEqual(
        thrown(() => Pattern.parse(path)),
        `Bad pattern "${path}": ${message}`
      )
    })

    it.each(["{", "}", "/{a}", "{a:", "(", "[", "\\", "%25", "/{a:[", "x"])(
      "100 kB of %j are read in one pass",
      (piece) => {
        const path = `/${piece.repeat(100_000 / piece.length)}`
        const start = performance.now()
        try {
          Pattern.parse(path)
        } catch (error) {
          assert.instanceOf(error, TypeError)
        }
        assert.isBelow(performance.now() - start, 1000)
      }
    )
  })

  describe("join", () => {
    it.each([
      ["", "/a", "/a"],
      ["/a", "", "/a"],
      ["/a", "/", "/a/"],
      ["/{org}", "/users/{id}", "/{org}/users/{id}"]
    ])("%j and %j are %j", (prefix, path, joined) =>
      assert.deepStrictEqual(Pattern.join(Pattern.parse(prefix), Pattern.parse(path)), Pattern.parse(joined))
    )

    it("a parameter of the prefix cannot come again", () =>
      assert.throws(
        () => Pattern.join(Pattern.parse("/{id}"), Pattern.parse("/users/{id}")),
        TypeError,
        `Bad pattern "/{id}/users/{id}": the parameter "id" is there twice`
      ))
  })

  describe("decode", () => {
    it.each<[string, string | undefined, string | undefined]>([
      ["/", "/", "/"],
      ["/a+b", "/a+b", "/a+b"],
      ["/a%2Bb", "/a+b", "/a+b"],
      ["/%d1%80%D1%83", "/ру", "/ру"],
      ["/a%2Fb", "/a%2Fb", "/a/b"],
      ["/a%2fb", "/a%2Fb", "/a/b"],
      ["/a%25b", "/a%25b", "/a%b"],
      ["/a%252Fb", "/a%252Fb", "/a%2Fb"],
      ["/a%252fb", "/a%252fb", "/a%2fb"],
      ["/a%25252Fb", "/a%25252Fb", "/a%252Fb"],
      ["/%2525", "/%2525", "/%25"],
      ["/%00", "/\0", "/\0"],
      ["/%5C", "/\\", "/\\"],
      ["/%2e%2E", "/..", "/.."],
      ["/%3F%23", "/?#", "/?#"],
      ["/%F0%9F%98%80", "/😀", "/😀"],
      ["/%", undefined, undefined],
      ["/%4", undefined, undefined],
      ["/%zz", undefined, undefined],
      ["/%ff", undefined, undefined],
      ["/%C0%AF", undefined, undefined],
      ["/%ED%A0%80", undefined, undefined],
      ["/%C3", undefined, undefined],
      ["/%C3%2FA9", undefined, undefined],
      ["/%2F%", undefined, undefined],
      ["/%25%", undefined, undefined]
    ])("%j is matched as %j and its value is %j", (path, kept, value) => {
      assert.strictEqual(Pattern.decode(path), kept)
      assert.strictEqual(kept === undefined ? undefined : Pattern.decodeValue(kept), value)
    })
  })
})
