/** The load of an upload: a client of its own process that sends forms one after the other. */
import { fileURLToPath } from "node:url"
import * as Generator from "./Generator.ts"
import type { Upload } from "./Rows.ts"
import type { Scratch } from "./Scratch.ts"
import * as Servers from "./Servers.ts"

/** What the client is told. */
export interface Job {
  readonly url: string
  /** The folder where the server saves; the client empties it after each upload. */
  readonly folder: string
  readonly fileBytes: number
  /** Sends for this long, and at least once. */
  readonly seconds: number
  /** Compares what was saved with what was sent, byte by byte; otherwise the size alone. */
  readonly compare: boolean
  /** The server saves the whole body as it comes, and answers its size alone. */
  readonly raw: boolean
}

const client = fileURLToPath(new URL("uploadClient.ts", import.meta.url))

/** Sends one form first and compares what was saved. */
export const prepare = async (
  server: Servers.Server,
  row: Upload,
  scratch: Scratch,
  core: number
): Promise<Generator.Generator> => {
  const send = async (core: number, seconds: number, compare: boolean): Promise<Generator.Done> => {
    const job: Job = {
      url: server.url + row.path,
      folder: scratch.uploads,
      fileBytes: row.mebibytes * 1024 * 1024,
      seconds,
      compare,
      raw: server.name === Servers.nodeHttp
    }
    const limit = seconds + 60 + row.mebibytes / 10
    const done = await Generator.run([process.execPath, client], { BENCH_JOB: JSON.stringify(job) }, core, limit)
    return { requests: done.requests ?? 0, microseconds: done.microseconds ?? 0 }
  }
  await send(core, 0, true)
  return (settings) => send(settings.core, row.once ? 0 : settings.seconds, false)
}
