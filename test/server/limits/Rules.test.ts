/**
 * The options for slow and many clients, as they are declared.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Rules from "../../../src/server/internal/limits/Rules.ts"

const wrong: ReadonlyArray<readonly [string, Rules.Options, RegExp]> = [
  [
    "a time that is none",
    { bodyTimeout: "soon" as never },
    /^bodyTimeout: "soon" is no time; write "5 seconds", or milliseconds$/
  ],
  ["a time before now", { writeTimeout: -1 }, /^writeTimeout: -1 is no time/],
  ["a keep-alive that is none", { tcpKeepAlive: "x" as never }, /^tcpKeepAlive: "x" is no time/],
  ["a rate that is none", { minBodyRate: "fast" as never }, /^"fast" is no size/],
  ["no connection at all", { maxConnections: 0 }, /^maxConnections: 0 is too few, or no whole number; use 1 or more/],
  ["half a connection", { maxConnectionsPerAddress: 1.5 }, /^maxConnectionsPerAddress: 1\.5 /],
  ["no header field", { maxHeaders: 0 }, /^maxHeaders: 0 /],
  ["no target", { maxTargetSize: Number.NaN }, /^maxTargetSize: NaN /]
]

describe("the options for slow and many clients", () => {
  it("have the defaults of the table", () => {
    assert.deepStrictEqual(Rules.make({}), {
      body: { timeout: 60_000, rate: 240 },
      write: { timeout: 60_000, rate: 240 },
      maxConnections: Infinity,
      maxPerAddress: Infinity,
      maxTarget: 8192,
      maxFields: 100,
      keepAlive: 60_000
    })
  })

  it("are turned off by zero, by what is infinite, and by false", () => {
    const rules = Rules.make({
      bodyTimeout: 0,
      writeTimeout: "Infinity",
      minBodyRate: 0,
      minWriteRate: "0 B",
      maxConnections: Infinity,
      tcpKeepAlive: false
    })
    assert.deepStrictEqual(rules.body, { timeout: Infinity, rate: 0 })
    assert.deepStrictEqual(rules.write, { timeout: Infinity, rate: 0 })
    assert.deepStrictEqual([rules.maxConnections, rules.keepAlive], [Infinity, undefined])
  })

  for (const [name, options, message] of wrong) {
    it(`${name} is said at once`, () => assert.throws(() => Rules.make(options), message))
  }
})
