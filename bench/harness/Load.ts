/** One load on one server: throughput as the generator saw it, CPU time and memory as the kernel accounted them. */
import type { Generator, Settings } from "./Generator.ts"
import type { Row } from "./Rows.ts"
import type { Scratch } from "./Scratch.ts"
import * as Servers from "./Servers.ts"
import * as Uploads from "./Uploads.ts"
import * as Wrk from "./Wrk.ts"

export interface Sample {
  readonly requests: number
  readonly requestsPerSecond: number
  readonly cpuMicrosPerRequest: number
  /** The most memory the server's process had resident during the load. */
  readonly peakBytes: number
}

/** Loads a server with a row; made once its answers are verified. */
export type Load = (settings: Settings) => Promise<Sample>

/** Verifies the server's answers to a row. Fails on any wrong answer; so does the load itself, as far as its generator looks. */
export const prepare = async (server: Servers.Server, row: Row, scratch: Scratch, core: number): Promise<Load> => {
  const generator: Generator =
    row.kind === "upload" ? await Uploads.prepare(server, row, scratch, core) : await Wrk.prepare(server, row, scratch)
  return async (settings) => {
    Servers.forgetPeak(server)
    const before = Servers.cpuSeconds(server)
    const { requests, microseconds } = await generator(settings)
    const cpu = Servers.cpuSeconds(server) - before
    if (requests === 0 || microseconds === 0) throw new Error("no request was answered")
    return {
      requests,
      requestsPerSecond: (requests / microseconds) * 1e6,
      cpuMicrosPerRequest: (cpu / requests) * 1e6,
      peakBytes: Servers.peakBytes(server)
    }
  }
}
