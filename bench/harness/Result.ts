/** The measurements of a run and the ratios they are read as. */
import type { Sample } from "./Load.ts"
import type { Row } from "./Rows.ts"
import * as Servers from "./Servers.ts"

/** Filled while the bench runs. */
export interface RowResult {
  readonly row: Row
  /** By server, one sample a round. */
  readonly samples: Map<string, Array<Sample>>
  /** By server, what went wrong: such a server has no ratio in this row. */
  readonly failures: Map<string, string>
}

export interface Ratio {
  readonly median: number
  readonly least: number
  readonly most: number
}

type Measure = (sample: Sample) => number

export const cpu: Measure = (sample) => sample.cpuMicrosPerRequest
export const throughput: Measure = (sample) => sample.requestsPerSecond
export const memory: Measure = (sample) => sample.peakBytes
export const memoryPerConnection: Measure = (sample) => (sample.held?.bytes ?? Number.NaN) / sample.requests
export const coreShare: Measure = ({ held }) => (held === undefined ? Number.NaN : held.cpuSeconds / held.seconds)

/** A server's measure itself; undefined when it was not measured. */
export const medianOf = (result: RowResult | undefined, server: string, measure: Measure): number | undefined => {
  const samples = result?.failures.has(server) ? undefined : result?.samples.get(server)
  return samples === undefined || samples.length === 0 ? undefined : median(samples.map(measure))
}

/** A server's measure over another's in the same round; undefined when either was not measured. */
export const ratio = (
  result: RowResult,
  server: string,
  measure: Measure,
  over: string = Servers.baselineOf(result.row.subject)
): Ratio | undefined => {
  const [own, other] = [server, over].map((name) => (result.failures.has(name) ? undefined : result.samples.get(name)))
  if (own === undefined || other === undefined) return undefined
  const ratios = own.flatMap((sample, round) => {
    const against = other[round]
    return against === undefined ? [] : [measure(sample) / measure(against)]
  })
  return ratios.length === 0
    ? undefined
    : { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) }
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}
