/**
 * Where a text stops being JSON.
 */
import { assert, describe, it } from "@effect/vitest"
import * as JsonFault from "../../../src/internal/bodies/jsonFault.ts"

describe("the fault is at", () => {
  const rows: ReadonlyArray<readonly [text: string, at: number]> = [
    ["", 0],
    [" ", 1],
    ["hello", 0],
    ['{"a":1,}', 7],
    ['{"a": tru}', 6],
    ["[1,2", 4],
    ['{"a":1', 6],
    ['{"a"', 4],
    ['"abc', 4],
    ['{"a":\n x}', 7],
    ["[1] x", 4],
    ["[1]]", 3],
    ['{"a" 1}', 5],
    ["{1:2}", 1],
    ['{"a":1 "b":2}', 7],
    ["[,1]", 1],
    ["[1,]", 3],
    ["[1}", 2],
    ['{"a":1]', 6],
    ["\u0001", 0],
    ["01", 1],
    ["[1e]", 2],
    ["-", 0],
    ['"\\x"', 1],
    ['"\\u12"', 1],
    ['"a\\n\\u0041\nb"', 10],
    ["\u00a01", 0],
    ["[".repeat(100_000), 100_000]
  ]
  for (const [text, at] of rows) {
    it(`${at} of ${JSON.stringify(text.slice(0, 20))}`, () => assert.strictEqual(JsonFault.find(text), at))
  }
})

it("agrees with the parser where that says what is wrong", () => {
  const pieces = ["{", "}", "[", "]", ",", ":", '"a"', '"\\n"', "1", "-2.5e3", "true", "null", " ", "x"]
  let seed = 1
  const next = (below: number) => {
    seed = (seed * 48271) % 2147483647
    return seed % below
  }
  for (let i = 0; i < 50_000; i++) {
    const text = Array.from({ length: next(8) }, () => pieces[next(pieces.length)]).join("")
    const [at, said] = [JsonFault.find(text), message(text)]
    const position = /(?:Expected|non-whitespace).* position (\d+)/.exec(said)?.[1]
    const token = /Unexpected token '(.)'/.exec(said)?.[1]
    if (said === "" || said.includes("Unexpected end")) assert.strictEqual(at, text.length, text)
    if (position !== undefined) assert.strictEqual(at, Number(position), text)
    if (token !== undefined) assert.strictEqual(text[at], token, text)
  }
})

const message = (text: string): string => {
  try {
    JSON.parse(text)
    return ""
  } catch (error) {
    return String(error)
  }
}
