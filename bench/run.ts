/** effect-web beside its peers, in interleaved rounds. `node run.ts --help` lists the options; README.md says how to read it. */
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import * as Children from "./harness/Children.ts"
import * as Claims from "./harness/Claims.ts"
import * as Cores from "./harness/Cores.ts"
import * as Machine from "./harness/Machine.ts"
import * as Options from "./harness/Options.ts"
import { message, print } from "./harness/Output.ts"
import * as Report from "./harness/Report.ts"
import type { RowResult } from "./harness/Result.ts"
import * as Rows from "./harness/Rows.ts"
import * as Scratch from "./harness/Scratch.ts"
import * as Servers from "./harness/Servers.ts"
import * as Subject from "./harness/Subject.ts"

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
  print(`# effect-web beside its peers\n\n${Report.machine(machine)}\n${Report.legend}`)
  const { rounds, seconds, connections } = options
  const scratch = Scratch.make()
  const upstream = await Servers.start(Servers.upstream, cores.load, {})
  const { folder: SCRATCH, files: FILES, uploads: UPLOADS } = scratch
  const environment = { SCRATCH, FILES, UPLOADS, UPSTREAM: upstream.url }
  const run = { options, core: cores.server, scratch, environment, load: { seconds, connections, core: cores.load } }
  const results: Array<RowResult> = []
  const skipped: Partial<Record<Rows.Subject, ReadonlyMap<string, string>>> = {}
  for (const subject of new Set(options.rows.map((row) => row.subject))) {
    const measured = await Subject.measure(subject, run)
    results.push(...measured.results)
    skipped[subject] = measured.skipped
  }
  const verdicts = Claims.judge(results)
  print(`### claims\n\n${Report.claims(verdicts)}`)
  if (options.json !== undefined) {
    const rows = results.map(({ row, ...measured }) => ({ row: Rows.title(row), ...measured }))
    save(options.json, { machine, settings: { rounds, seconds, connections }, skipped, results: rows, verdicts })
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
