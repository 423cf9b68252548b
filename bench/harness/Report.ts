/** A run as Markdown: ratios to the baseline of the same round, never a bare time. */
import type { Verdict } from "./Claims.ts"
import type { Sample } from "./Load.ts"
import * as Result from "./Result.ts"
import * as Rows from "./Rows.ts"
import * as Servers from "./Servers.ts"

export const machine = (description: Record<string, string>): string =>
  table(["machine", ""], Object.entries(description))

export const skipped = (reasons: ReadonlyMap<string, string>): string =>
  [...reasons].map(([server, reason]) => `- **${server} skipped**: ${reason}\n`).join("")

/** One row's table, the least CPU time first. */
export const row = (result: Result.RowResult, verbose: boolean): string => {
  const measured = [...result.samples].flatMap(([server, samples]) => {
    const cpu = Result.ratio(result, server, Result.cpu)
    const throughput = Result.ratio(result, server, Result.throughput)
    const memory = Result.ratio(result, server, Result.memory)
    if (cpu === undefined || throughput === undefined || memory === undefined) return []
    return [{ server, samples, cpu, throughput, memory }]
  })
  const isIdle = result.row.kind === "socket" && result.row.load === "idle"
  const lines = measured
    .sort((a, b) => a.cpu.median - b.cpu.median)
    .map(({ server, samples, cpu, throughput, memory }) => [
      server,
      cpu.median.toFixed(2),
      `${cpu.least.toFixed(2)} to ${cpu.most.toFixed(2)}`,
      throughput.median.toFixed(2),
      memory.median.toFixed(2),
      String(samples.reduce((sum, sample) => sum + sample.requests, 0)),
      ...(isIdle ? held(result, server, samples) : []),
      ...(verbose ? absolutes(samples) : [])
    ])
  const failures = [...result.failures].map(([server, failure]) => `- **${server} FAILED**: ${failure}\n`).join("")
  const unit = Rows.unit(result.row)
  const head = [
    ...["server", `CPU per ${unit}`, "least to most", "throughput", "peak memory", plural(unit)],
    ...(isIdle ? ["memory per connection", "KiB per connection", "of the core"] : []),
    ...(verbose ? ["µs CPU", `${plural(unit)}/s`, "peak MiB"] : [])
  ]
  return `### ${Rows.title(result.row)}\n\n${table(head, lines)}${failures === "" ? "" : `\n${failures}`}`
}

const plural = (unit: string): string => (unit === "delivery" ? "deliveries" : `${unit}s`)

/** What idle connections cost: memory hardly depends on the machine, so that it is told as it is too. */
const held = (result: Result.RowResult, server: string, samples: ReadonlyArray<Sample>): ReadonlyArray<string> => [
  Result.ratio(result, server, Result.memoryPerConnection)?.median.toFixed(2) ?? "",
  (Result.median(samples.map(Result.memoryPerConnection)) / 1024).toFixed(1),
  `${(Result.median(samples.map(Result.coreShare)) * 100).toFixed(1)} %`
]

export const claims = (verdicts: ReadonlyArray<Verdict>): string =>
  table(
    ["claim", "measured", "holds"],
    verdicts.map(({ text, measured, holds }) => [
      measured?.detail === undefined ? text : `${text}: ${measured.detail}`,
      measured?.ratio.toFixed(2) ?? "not measured",
      holds ? "yes" : "NO"
    ])
  )

export const legend = `Ratios to ${Servers.nodeHttp}, of WebSockets to ws, in the same round, median of the rounds: less CPU and memory is better, more throughput is better.\n`

const absolutes = (samples: ReadonlyArray<Sample>): ReadonlyArray<string> => [
  Result.median(samples.map(Result.cpu)).toFixed(1),
  Result.median(samples.map(Result.throughput)).toPrecision(3),
  (Result.median(samples.map(Result.memory)) / 1024 / 1024).toFixed(0)
]

export const table = (head: ReadonlyArray<string>, lines: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |\n`).join("")
