/** The command line of `run.ts`, checked. */
import { parseArgs } from "node:util"
import * as Rows from "./Rows.ts"
import * as Servers from "./Servers.ts"

export interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly rows: ReadonlyArray<Rows.Row>
  readonly programs: ReadonlyArray<Servers.Program>
  readonly json: string | undefined
  readonly assert: boolean
  readonly verbose: boolean
}

export const help = `node run.ts [options]
  --rounds 5         measured rounds of each row
  --seconds 3        length of one load, in whole seconds
  --connections 32   kept-alive connections of wrk
  --rows a,b         of ${Rows.all.map((row) => row.name).join(", ")}
  --servers a,b      of ${Servers.names.join(", ")}; what is measured against always runs too
  --json file        the measurements as JSON too
  --assert           exit 1 when a claim of harness/Claims.ts does not hold
  --verbose          absolute numbers too (they hold for this machine and minute only)
`

export const parse = (args: ReadonlyArray<string>): Options | "help" => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "3" },
      connections: { type: "string", default: "32" },
      rows: { type: "string" },
      servers: { type: "string" },
      json: { type: "string" },
      assert: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
      help: { type: "boolean", default: false }
    }
  })
  if (values.help) return "help"
  const servers = pick("--servers", Servers.names, (name) => name, values.servers)
  return {
    rounds: count("--rounds", values.rounds),
    seconds: count("--seconds", values.seconds),
    connections: count("--connections", values.connections),
    rows: pick("--rows", Rows.all, (row) => row.name, values.rows),
    programs: Servers.all.filter(({ name, subject }) => name === Servers.baselineOf(subject) || servers.includes(name)),
    json: values.json,
    assert: values.assert,
    verbose: values.verbose
  }
}

const count = (option: string, text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 1000) {
    throw new Error(`${option} takes a whole number from 1 to 1000, not ${JSON.stringify(text)}`)
  }
  return value
}

const pick = <A>(
  option: string,
  all: ReadonlyArray<A>,
  nameOf: (one: A) => string,
  names: string | undefined
): ReadonlyArray<A> => {
  if (names === undefined) return all
  return names.split(",").map((name) => {
    const found = all.find((one) => nameOf(one) === name)
    if (found === undefined) {
      throw new Error(`${option}: no ${JSON.stringify(name)}; there are ${all.map(nameOf).join(", ")}`)
    }
    return found
  })
}
