import { assert, describe, it } from "@effect/vitest"
import * as Query from "../../src/http/Query.ts"

describe("Query", () => {
  describe("parse", () => {
    it.each<[string, ReadonlyArray<readonly [string, string]>]>([
      ["", []],
      ["?", []],
      [
        "?a=1&b=2&a=3",
        [
          ["a", "1"],
          ["b", "2"],
          ["a", "3"]
        ]
      ],
      ["a=1", [["a", "1"]]],
      ["??a=1", [["?a", "1"]]],
      ["q=x+y%2Bz", [["q", "x y+z"]]],
      [
        "a=&b&=c&=",
        [
          ["a", ""],
          ["b", ""],
          ["", "c"],
          ["", ""]
        ]
      ],
      ["&&a=1&&", [["a", "1"]]],
      ["a=b=c", [["a", "b=c"]]],
      ["a%20b=%E2%82%AC", [["a b", "€"]]],
      [
        "a=100%&b=%zz&c=%4",
        [
          ["a", "100%"],
          ["b", "%zz"],
          ["c", "%4"]
        ]
      ],
      [
        "a=%ff&b=%E2%82",
        [
          ["a", "\ufffd"],
          ["b", "\ufffd"]
        ]
      ],
      ["a;b=1", [["a;b", "1"]]]
    ])("%j is %j", (search, wanted) => assert.deepStrictEqual(Array.from(Query.parse(search)), wanted))
  })

  it("a form keeps the question mark at its beginning", () => {
    assert.deepStrictEqual(Array.from(Query.parseForm("?a=1&b=x+y")), [
      ["?a", "1"],
      ["b", "x y"]
    ])
    assert.deepStrictEqual(Array.from(Query.parseForm("??")), [["??", ""]])
    assert.deepStrictEqual(Array.from(Query.parseForm("")), [])
  })

  describe("a query", () => {
    const query = Query.parse("?tag=a&tag=b&q=x+y&blank=")
    it("gives the first value, all values, and nothing", () => {
      assert.strictEqual(query.get("tag"), "a")
      assert.strictEqual(query.get("q"), "x y")
      assert.strictEqual(query.get("blank"), "")
      assert.isUndefined(query.get("other"))
      assert.deepStrictEqual(query.getAll("tag"), ["a", "b"])
      assert.deepStrictEqual(query.getAll("other"), [])
    })

    it("knows its names, each once, and the number of its pairs", () => {
      assert.deepStrictEqual(query.keys(), ["tag", "q", "blank"])
      assert.isTrue(query.has("blank"))
      assert.isFalse(query.has("other"))
      assert.strictEqual(query.size, 4)
    })

    it("is a record of strings and arrays", () => {
      assert.deepStrictEqual({ ...query.toRecord() }, { tag: ["a", "b"], q: "x y", blank: "" })
    })

    it("is written urlencoded", () => {
      assert.strictEqual(query.toString(), "tag=a&tag=b&q=x+y&blank=")
      assert.strictEqual(`${new Query.Query([["a b", "ü&="]])}`, "a+b=%C3%BC%26%3D")
    })
  })

  it("a name may be that of a property of Object", () => {
    const query = Query.parse("__proto__=a&constructor=b&__proto__=c&__proto__=d")
    const record = query.toRecord()
    assert.strictEqual(Object.getPrototypeOf(record), null)
    assert.deepStrictEqual(Object.entries(record), [
      ["__proto__", ["a", "c", "d"]],
      ["constructor", "b"]
    ])
    assert.isFalse("toString" in record)
    assert.isFalse(query.has("toString"))
    assert.isUndefined(query.get("toString"))
  })

  describe("format", () => {
    it.each<[Parameters<typeof Query.format>[0], string]>([
      [{}, ""],
      [{ page: 2, tag: ["a", "b"] }, "page=2&tag=a&tag=b"],
      [{ q: "x y", all: true, none: undefined, empty: "", list: [] }, "q=x+y&all=true&empty="],
      [{ "a&b": "c=d", e: "€+" }, "a%26b=c%3Dd&e=%E2%82%AC%2B"],
      [{ list: [1, false, "x"] }, "list=1&list=false&list=x"]
    ])("%j is %j", (input, wanted) => assert.strictEqual(Query.format(input), wanted))
  })

  it.each(["&", "=", "+", "%", "a&", "a=1&", "%ff", "?"])("100 kB of %j are read in one pass", (piece) => {
    const start = performance.now()
    const query = Query.parse(piece.repeat(100_000 / piece.length))
    query.toRecord()
    query.keys()
    query.toString()
    assert.isBelow(performance.now() - start, 1000)
  })
})
