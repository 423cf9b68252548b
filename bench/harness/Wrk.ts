/** The load of a request: wrk, on many kept-alive connections. */
import { fileURLToPath } from "node:url"
import * as Generator from "./Generator.ts"
import type { Request } from "./Rows.ts"
import type { Scratch } from "./Scratch.ts"
import type { Server } from "./Servers.ts"
import * as Verify from "./Verify.ts"

const script = fileURLToPath(new URL("wrk.lua", import.meta.url))

/** Verifies the answers first. A load fails on any 4xx or 5xx, on any socket error, and when bytes are missing or too many. */
export const prepare = async (server: Server, row: Request, scratch: Scratch): Promise<Generator.Generator> => {
  const { headers, bodyBytes } = await Verify.verify(server.url, row)
  if (row.file !== undefined) await Verify.verifyChange(server.url, row, row.file, scratch)
  const environment = {
    BENCH_METHOD: row.method,
    BENCH_BODY: row.body ?? "",
    BENCH_HEADERS: Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}`)
      .join("\n")
  }
  return async ({ seconds, connections, core }) => {
    const load = ["wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s", script]
    const done = await Generator.run([...load, server.url + row.path], environment, core, seconds + 20)
    const { requests = 0, microseconds = 0, bytes = 0, status, socket } = done
    if (status !== 0) throw new Error(`${status} of ${requests} answers were 4xx or 5xx`)
    if (socket !== 0) throw new Error(`${socket} socket errors or timeouts in ${requests} requests`)
    // The answers that were still on their way at the end are counted in bytes, not in requests.
    const most = (requests + connections) * (bodyBytes + maxHeadBytes)
    if (bytes < requests * bodyBytes || bytes > most) throw new Error(`${bytes} bytes in ${requests} answers`)
    return { requests, microseconds }
  }
}

const maxHeadBytes = 1000 // below 1 KiB: a 200 with the smallest file cannot pass as a 304
