/** The load of WebSockets: a client of its own process that holds them and sends messages. */
import { fileURLToPath } from "node:url"
import * as Generator from "./Generator.ts"
import type { Socket } from "./Rows.ts"
import type * as Servers from "./Servers.ts"

/** What the client is told. */
export interface Job {
  readonly url: string
  readonly load: Socket["load"]
  readonly burst: number
  readonly connections: number
  readonly message: string
  /** A message that the server has to close for. */
  readonly refused: string | undefined
  /** How long messages are sent, or idle connections held; after more than the interval of the heartbeats each must have had one. */
  readonly seconds: number
  /** The server's process. */
  readonly pid: number
}

/** The heartbeat of every server: 30 seconds. Connections are held a little longer. */
export const heartbeatSeconds = 30
const heldSeconds = heartbeatSeconds + 5

const client = fileURLToPath(new URL("socketClient.ts", import.meta.url))

/** Sends for a moment on few connections first; every answer of every load is compared. */
export const prepare = async (server: Servers.Server, row: Socket, core: number): Promise<Generator.Generator> => {
  const run = async (core: number, connections: number, seconds: number): Promise<Generator.Done> => {
    const { burst = 1, load, message, refused } = row
    const job: Job = {
      url: server.url + row.path,
      load,
      burst,
      connections,
      message,
      refused,
      seconds,
      pid: server.pid
    }
    const environment = { BENCH_JOB: JSON.stringify(job) }
    const done = await Generator.run([process.execPath, client], environment, core, seconds + 90)
    const { requests = 0, microseconds = 0, cpuSeconds = Number.NaN, heldBytes: bytes } = done
    return { requests, microseconds, cpuSeconds, ...(bytes !== undefined && { held: { bytes, cpuSeconds, seconds } }) }
  }
  await run(core, Math.min(row.connections, 200), 0)
  return (settings) => run(settings.core, row.connections, row.load === "idle" ? heldSeconds : settings.seconds)
}
