/** One subject measured: its servers started, its rows verified, warmed up and loaded in interleaved rounds, its tables printed. */
import * as Children from "./Children.ts"
import type { Settings } from "./Generator.ts"
import * as Load from "./Load.ts"
import type * as Options from "./Options.ts"
import { message, print, progress } from "./Output.ts"
import * as Report from "./Report.ts"
import type { RowResult } from "./Result.ts"
import type * as Rows from "./Rows.ts"
import type { Scratch } from "./Scratch.ts"
import * as Servers from "./Servers.ts"

/** What stays the same through a run. */
export interface Run {
  readonly options: Options.Options
  /** The processor core of the servers. */
  readonly core: number
  readonly scratch: Scratch
  /** What the server programs are told. */
  readonly environment: Record<string, string>
  readonly load: Settings
}

/** A row while it is measured. */
interface Measuring {
  readonly result: RowResult
  /** By server, once its answers are verified. */
  readonly loads: Map<string, Load.Load>
  /** The servers that have no answer to it. */
  readonly lacking: ReadonlySet<string>
}

export interface Measured {
  readonly results: ReadonlyArray<RowResult>
  /** By server, why it did not start. */
  readonly skipped: ReadonlyMap<string, string>
}

/** The servers of a subject run from before its first row until after its last. */
export const measure = async (subject: Rows.Subject, run: Run): Promise<Measured> => {
  const programs = run.options.programs.filter((program) => program.subject === subject)
  const { servers, skipped } = await startAll(programs, run)
  print(Report.skipped(skipped))
  const rows = run.options.rows
    .filter((row) => row.subject === subject)
    .map(
      (row): Measuring => ({
        result: { row, samples: new Map(), failures: new Map() },
        loads: new Map(),
        lacking: new Set(programs.filter(({ lacks }) => lacks?.includes(row.name)).map(({ name }) => name))
      })
    )
  progress(`${subject}: warming up`)
  await warmUp(rows, servers, run)
  for (const row of rows) {
    await measureRow(row, servers, run)
    print(Report.row(row.result, run.options.verbose))
  }
  for (const { child } of servers) await Children.stop(child)
  return { results: rows.map(({ result }) => result), skipped }
}

const startAll = async (programs: ReadonlyArray<Servers.Program>, { core, environment }: Run) => {
  const servers: Array<Servers.Server> = []
  const skipped = new Map<string, string>()
  for (const program of programs) {
    try {
      servers.push(await Servers.start(program, core, environment))
    } catch (error) {
      if (program.name === Servers.baselineOf(program.subject)) throw error
      skipped.set(program.name, message(error))
    }
  }
  return { servers, skipped }
}

/** Runs one server's step of a row; its failure takes the server out of this row and is told at the end. */
const attempt = async (result: RowResult, server: Servers.Server, step: () => Promise<void>): Promise<void> => {
  if (result.failures.has(server.name)) return
  try {
    await step()
  } catch (error) {
    const failure = server.ended() ?? message(error)
    result.failures.set(server.name, failure)
    progress(`${result.row.name}: ${server.name} FAILED: ${failure}`)
  }
}

/** Every answer is verified and every row loaded before anything is measured: no row meets a server colder than another. */
const warmUp = async (rows: ReadonlyArray<Measuring>, servers: ReadonlyArray<Servers.Server>, run: Run) => {
  const settings = { ...run.load, seconds: Math.min(run.load.seconds, 2) }
  for (const { result, loads, lacking } of rows) {
    for (const server of servers) {
      if (lacking.has(server.name)) continue
      await attempt(result, server, async () => {
        const load = await Load.prepare(server, result.row, run.scratch, run.load.core)
        if (!isOnce(result.row)) await load(settings)
        loads.set(server.name, load)
        result.samples.set(server.name, [])
      })
    }
  }
}

const measureRow = async (
  { result, loads }: Measuring,
  servers: ReadonlyArray<Servers.Server>,
  { load: settings, options: { rounds } }: Run
): Promise<void> => {
  const last = isOnce(result.row) ? 1 : rounds
  for (let round = 1; round <= last; round++) {
    progress(`${result.row.name}: round ${round} of ${last}`)
    for (const server of servers) {
      const load = loads.get(server.name)
      if (load === undefined) continue
      await attempt(result, server, async () => {
        result.samples.get(server.name)?.push(await load(settings))
      })
    }
  }
}

const isOnce = (row: Rows.Row): boolean => row.kind !== "request" && row.once === true
