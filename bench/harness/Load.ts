/** One load on one server: throughput as wrk saw it, CPU time as the kernel accounted it. */
import { fileURLToPath } from "node:url"
import * as Children from "./Children.ts"
import type { Row } from "./Rows.ts"
import * as Servers from "./Servers.ts"

export interface Sample {
  readonly requests: number
  readonly requestsPerSecond: number
  readonly cpuMicrosPerRequest: number
}

export interface Settings {
  readonly seconds: number
  readonly connections: number
  readonly core: number
}

/** Loads a server with one row. Fails on any 4xx or 5xx answer and on any socket error. */
export const run = async (server: Servers.Server, row: Row, settings: Settings): Promise<Sample> => {
  const before = Servers.cpuSeconds(server)
  const output = await wrk(server.url + row.path, row, settings)
  const cpu = Servers.cpuSeconds(server) - before
  const line = /^BENCH (.*)$/m.exec(output)?.[1]
  if (line === undefined) throw new Error(`wrk reported nothing: ${output.trim().slice(0, 200)}`)
  const { requests, microseconds, status, socket } = JSON.parse(line) as Record<string, number>
  if (status !== 0) throw new Error(`${status} of ${requests} answers were 4xx or 5xx`)
  if (socket !== 0) throw new Error(`${socket} socket errors or timeouts in ${requests} requests`)
  if (!requests || !microseconds) throw new Error("no request was answered")
  return {
    requests,
    requestsPerSecond: (requests / microseconds) * 1e6,
    cpuMicrosPerRequest: (cpu / requests) * 1e6
  }
}

const script = fileURLToPath(new URL("wrk.lua", import.meta.url))

const wrk = (url: string, row: Row, { seconds, connections, core }: Settings): Promise<string> =>
  new Promise((resolve, reject) => {
    const load = ["wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s", script, url]
    const child = Children.start("taskset", ["-c", String(core), ...load], {
      env: { ...process.env, BENCH_METHOD: row.method, BENCH_BODY: row.body ?? "" },
      timeout: (seconds + 20) * 1000,
      killSignal: "SIGKILL"
    })
    let output = ""
    const collect = (text: string) => {
      output += text
    }
    child.stdout?.setEncoding("utf8").on("data", collect)
    child.stderr?.setEncoding("utf8").on("data", collect)
    child.once("error", reject)
    child.once("close", (code) =>
      code === 0 ? resolve(output) : reject(new Error(`wrk ended with ${code}: ${output}`))
    )
  })
