/** A load generator: a command on the load core whose last words are one line of JSON, `BENCH {...}`. */
import * as Children from "./Children.ts"

export interface Settings {
  /** The length of the load, in whole seconds. */
  readonly seconds: number
  readonly connections: number
  /** The processor core of the load. */
  readonly core: number
}

/** What a load did to a server. */
export interface Done {
  readonly requests: number
  readonly microseconds: number
  /** What the server's process took for it, where the generator did more than this. */
  readonly cpuSeconds?: number
  readonly held?: Held
}

/** What idle connections cost a server. */
export interface Held {
  /** The memory of its process with them, less that without. */
  readonly bytes: number
  readonly cpuSeconds: number
  readonly seconds: number
}

/** Loads one server with one row, of which it knows that the server answers it well. */
export type Generator = (settings: Settings) => Promise<Done>

/** Runs the command to its end and gives the numbers it reported; kills it after `limit` seconds. */
export const run = async (
  command: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>>,
  core: number,
  limit: number
): Promise<Record<string, number>> => {
  const output = await collect(command, environment, core, limit)
  const line = /^BENCH (.*)$/m.exec(output)?.[1]
  if (line === undefined) throw new Error(`${command[0]} reported nothing: ${output.trim().slice(0, 200)}`)
  return JSON.parse(line) as Record<string, number>
}

const collect = (
  command: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>>,
  core: number,
  limit: number
): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = Children.start("taskset", ["-c", String(core), ...command], {
      env: { ...process.env, ...environment },
      timeout: limit * 1000,
      killSignal: "SIGKILL"
    })
    let output = ""
    const add = (text: string) => {
      output += text
    }
    child.stdout?.setEncoding("utf8").on("data", add)
    child.stderr?.setEncoding("utf8").on("data", add)
    child.once("error", reject)
    child.once("close", (code) =>
      code === 0 ? resolve(output) : reject(new Error(`the load ended with ${code}: ${output.trim().slice(0, 500)}`))
    )
  })
