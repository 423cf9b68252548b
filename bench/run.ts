/** effect-web beside its peers, in interleaved rounds. `node run.ts --help` lists the options; README.md says how to read it. */
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import * as Children from "./harness/Children.ts"
import * as Claims from "./harness/Claims.ts"
import * as Cores from "./harness/Cores.ts"
import * as Load from "./harness/Load.ts"
import * as Machine from "./harness/Machine.ts"
import * as Options from "./harness/Options.ts"
import * as Report from "./harness/Report.ts"
import type { RowResult } from "./harness/Result.ts"
import * as Rows from "./harness/Rows.ts"
import * as Servers from "./harness/Servers.ts"

const print = (markdown: string): void => console.log(markdown)
const progress = (line: string): void => console.error(line)
const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const startAll = async (programs: ReadonlyArray<Servers.Program>, core: number) => {
  const servers: Array<Servers.Server> = []
  const skipped = new Map<string, string>()
  for (const program of programs) {
    try {
      servers.push(await Servers.start(program, core))
    } catch (error) {
      if (program.name === Servers.baseline) throw error
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
    result.failures.set(server.name, message(error))
    progress(`${result.row.name}: ${server.name} FAILED: ${message(error)}`)
  }
}

/** Every answer is verified and every row loaded before anything is measured: no row meets a server colder than another. */
const warmUp = async (
  results: ReadonlyArray<RowResult>,
  servers: ReadonlyArray<Servers.Server>,
  load: Load.Settings
) => {
  const settings = { ...load, seconds: Math.min(load.seconds, 2) }
  for (const result of results) {
    for (const server of servers) {
      await attempt(result, server, async () => {
        const wrong = await Rows.verify(server.url, result.row)
        if (wrong !== undefined) throw new Error(wrong)
        await Load.run(server, result.row, settings)
        result.samples.set(server.name, [])
      })
    }
  }
}

const measure = async (
  result: RowResult,
  servers: ReadonlyArray<Servers.Server>,
  load: Load.Settings,
  rounds: number
): Promise<void> => {
  for (let round = 1; round <= rounds; round++) {
    progress(`${result.row.name}: round ${round} of ${rounds}`)
    for (const server of servers) {
      await attempt(result, server, async () => {
        result.samples.get(server.name)?.push(await Load.run(server, result.row, load))
      })
    }
  }
}

const save = (file: string, content: unknown): void => {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(
    file,
    `${JSON.stringify(content, (_, value) => (value instanceof Map ? Object.fromEntries(value) : value), 2)}\n`
  )
}

const main = async (): Promise<number> => {
  const options = Options.parse(process.argv.slice(2))
  if (options === "help") {
    print(Options.help)
    return 0
  }
  const cores = Cores.claimUnsafe()
  Machine.checkOneEffectUnsafe()
  const machine = Machine.describe()
  const { servers, skipped } = await startAll(options.servers, cores.server)
  print(`# effect-web beside its peers\n\n${Report.machine(machine)}\n${Report.skipped(skipped)}\n${Report.legend}`)
  const { rounds, seconds, connections } = options
  const load = { seconds, connections, core: cores.load }
  const results = options.rows.map((row): RowResult => ({ row, samples: new Map(), failures: new Map() }))
  progress("warming up")
  await warmUp(results, servers, load)
  for (const result of results) {
    await measure(result, servers, load, rounds)
    print(Report.row(result, options.verbose))
  }
  const verdicts = Claims.judge(results)
  print(`### claims\n\n${Report.claims(verdicts)}`)
  if (options.json !== undefined) {
    save(options.json, { machine, settings: { rounds, seconds, connections }, skipped, results, verdicts })
  }
  const failed = results.some((result) => result.failures.size > 0)
  return failed || (options.assert && verdicts.some((verdict) => !verdict.holds)) ? 1 : 0
}

Children.stopAllAtExit()
main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(message(error))
    process.exit(2)
  }
)
