/** A run as Markdown: ratios to the baseline of the same round, never a bare time. */
import type { Verdict } from "./Claims.ts"
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
  const lines = measured
    .sort((a, b) => a.cpu.median - b.cpu.median)
    .map(({ server, samples, cpu, throughput, memory }) => [
      server,
      cpu.median.toFixed(2),
      `${cpu.least.toFixed(2)} to ${cpu.most.toFixed(2)}`,
      throughput.median.toFixed(2),
      memory.median.toFixed(2),
      String(samples.reduce((sum, sample) => sum + sample.requests, 0)),
      ...(verbose ? absolutes(samples) : [])
    ])
  const failures = [...result.failures].map(([server, failure]) => `- **${server} FAILED**: ${failure}\n`).join("")
  const head = ["server", "CPU per request", "least to most", "throughput", "peak memory", "requests"]
  return `### ${Rows.title(result.row)}\n\n${table(verbose ? [...head, "µs CPU", "req/s", "peak MiB"] : head, lines)}${
    failures === "" ? "" : `\n${failures}`
  }`
}

export const claims = (verdicts: ReadonlyArray<Verdict>): string =>
  table(
    ["claim", "measured", "holds"],
    verdicts.map(({ text, measured, holds }) => [
      measured?.detail === undefined ? text : `${text}: ${measured.detail}`,
      measured?.ratio.toFixed(2) ?? "not measured",
      holds ? "yes" : "NO"
    ])
  )

export const legend = `Ratios to ${Servers.baseline} in the same round, median of the rounds: less CPU and memory is better, more throughput is better.\n`

const absolutes = (samples: ReadonlyArray<Parameters<typeof Result.cpu>[0]>): ReadonlyArray<string> => [
  Result.median(samples.map(Result.cpu)).toFixed(1),
  Result.median(samples.map(Result.throughput)).toPrecision(3),
  (Result.median(samples.map(Result.memory)) / 1024 / 1024).toFixed(0)
]

export const table = (head: ReadonlyArray<string>, lines: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |\n`).join("")
