/**
 * The fields of one connection, and the names in `Via`.
 */
import { assert, describe, it } from "@effect/vitest"
import { connectionOptions, via, visits } from "../../../src/internal/proxy/fields.ts"

describe("Connection", () => {
  const rows: ReadonlyArray<readonly [header: string | undefined, wanted: ReadonlyArray<string>]> = [
    [undefined, []],
    ["close", []],
    ["keep-alive", []],
    ["upgrade", []],
    ["Close", ["close"]],
    ["X-A", ["x-a"]],
    [" X-A ,, keep-alive,x-b\t", ["x-a", "keep-alive", "x-b"]],
    ["", []]
  ]
  for (const [header, wanted] of rows) {
    it(`"${header}" names ${wanted.join(" and ") || "nothing"}`, () =>
      assert.deepStrictEqual([...(connectionOptions(header) ?? [])], wanted))
  }
})

describe("Via", () => {
  it("has this proxy at its end", () => {
    assert.strictEqual(via(undefined, "1.0", "edge"), "1.0 edge")
    assert.strictEqual(via("1.1 a (b, c)", "2.0", "edge"), "1.1 a (b, c), 2.0 edge")
  })
  const rows: ReadonlyArray<readonly [header: string | undefined, wanted: number]> = [
    [undefined, 0],
    ["1.1 edge", 1],
    ["1.1 edge, 1.0 other, 1.1\tedge (x)", 2],
    ["1.1 edge2, 1.1 other edge, edge", 0],
    ["HTTP/1.1 edge", 1]
  ]
  for (const [header, wanted] of rows) {
    it(`"${header}" has "edge" ${wanted} times`, () => assert.strictEqual(visits(header, "edge"), wanted))
  }
})
