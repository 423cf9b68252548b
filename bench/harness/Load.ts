/** One load on one server: throughput as the generator saw it, CPU time and memory as the kernel accounted them. */
import type { Generator, Held, Settings } from "./Generator.ts"
import * as Process from "./Process.ts"
import type { Row } from "./Rows.ts"
import type { Scratch } from "./Scratch.ts"
import type * as Servers from "./Servers.ts"
import * as Sockets from "./Sockets.ts"
import * as Uploads from "./Uploads.ts"
import * as Wrk from "./Wrk.ts"

export interface Sample {
  readonly requests: number
  readonly requestsPerSecond: number
  readonly cpuMicrosPerRequest: number
  /** The most memory the server's process had resident during the load. */
  readonly peakBytes: number
  readonly held?: Held
}

/** Loads a server with a row; made once its answers are verified. */
export type Load = (settings: Settings) => Promise<Sample>

/** Verifies the server's answers to a row. Fails on any wrong answer; so does the load itself, as far as its generator looks. */
export const prepare = async (server: Servers.Server, row: Row, scratch: Scratch, core: number): Promise<Load> => {
  const generator = await generatorOf(server, row, scratch, core)
  return async (settings) => {
    Process.forgetPeak(server.pid)
    const before = Process.cpuSeconds(server.pid)
    const done = await generator(settings)
    const { cpuSeconds: cpu = Process.cpuSeconds(server.pid) - before, held, microseconds, requests } = done
    if (requests === 0 || microseconds === 0) throw new Error("no request was answered")
    return {
      requests,
      requestsPerSecond: (requests / microseconds) * 1e6,
      cpuMicrosPerRequest: (cpu / requests) * 1e6,
      peakBytes: Process.peakBytes(server.pid),
      ...(held && { held })
    }
  }
}

const generatorOf = (server: Servers.Server, row: Row, scratch: Scratch, core: number): Promise<Generator> => {
  if (row.kind === "upload") return Uploads.prepare(server, row, scratch, core)
  return row.kind === "socket" ? Sockets.prepare(server, row, core) : Wrk.prepare(server, row, scratch)
}
