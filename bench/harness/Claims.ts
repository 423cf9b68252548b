/** The claims about speed and memory, as one table. `--assert` holds a run to it; a claim that was not measured does not hold. */
import * as Result from "./Result.ts"
import * as Servers from "./Servers.ts"

export interface Claim {
  /** The claim is judged where this row was measured. */
  readonly row: string
  readonly text: string
  /** The highest median of the ratio. */
  readonly atMost: number
  readonly measure: (results: Results) => Measured | undefined
}

export interface Measured {
  readonly ratio: number
  /** What the text leaves open. */
  readonly detail?: string
}

type Results = (row: string) => Result.RowResult | undefined

/** CPU time per request, as a ratio to that of another server in the same round. */
const cpu = (row: string, server: string, over: string, atMost: number): Claim => ({
  row,
  text: `${row}: CPU of ${server} at most ${atMost} of ${over}`,
  atMost,
  measure: (results) => cpuRatio(results(row), server, over)
})

/** The same over whichever of the Node peers took the least in this run: lowest median of those that have the row. */
const cpuOfPeers = (row: string, server: string, atMost: number): Claim => ({
  row,
  text: `${row}: CPU of ${server} at most ${atMost} of the fastest Node peer`,
  atMost,
  measure: (results) => {
    const result = results(row)
    const peers = Servers.nodePeers.flatMap((name) => {
      const measured = cpuRatio(result, name, Servers.nodeHttp)
      return measured === undefined ? [] : [{ name, ...measured }]
    })
    const fastest = peers.toSorted((a, b) => a.ratio - b.ratio)[0]
    const measured = fastest && cpuRatio(result, server, fastest.name)
    return measured && { ...measured, detail: fastest.name }
  }
})

/** The peak of the memory in one row, as a ratio to that of the same server in another row of the same run. */
const memory = (row: string, over: string, server: string, atMost: number): Claim => ({
  row,
  text: `${row}: peak memory of ${server} at most ${atMost} of its own in ${over}`,
  atMost,
  measure: (results) => {
    const [peak, other] = [row, over].map((name) => Result.medianOf(results(name), server, Result.memory))
    return peak === undefined || other === undefined ? undefined : { ratio: peak / other }
  }
})

const cpuRatio = (result: Result.RowResult | undefined, server: string, over: string): Measured | undefined => {
  const ratio = result && Result.ratio(result, server, Result.cpu, over)
  return ratio && { ratio: ratio.median }
}

export const all: ReadonlyArray<Claim> = [
  cpu("text", "effect-web", Servers.nodeHttp, 1.15),
  cpu("json", "effect-web", Servers.nodeHttp, 1.15),
  cpu("user", "effect-web", Servers.nodeHttp, 1.15),
  cpu("text", "effect-web", "effect-router", 1),
  cpu("json", "effect-web", "effect-router", 1),
  cpu("user", "effect-web", "effect-router", 1),
  cpu("echo", "effect-web", "effect-router", 1),
  cpu("stack", "effect-web", "effect-web-bare", 1.35),
  cpu("stack", "effect-web", "fastify", 1),
  cpuOfPeers("file-1k", "effect-web", 0.5),
  cpuOfPeers("file-1m", "effect-web", 1),
  cpuOfPeers("304", "effect-web", 1),
  cpuOfPeers("proxy", "effect-web", 1),
  cpuOfPeers("upload", "effect-web", 1),
  memory("upload-2g", "upload", "effect-web", 1.25),
  cpu("ws-echo", "effect-web", "ws", 1.1),
  cpu("ws-broadcast", "effect-web", "ws", 0.6),
  cpu("ws-prices", "effect-web", "ws", 0.6),
  cpu("ws-burst", "effect-web", "ws", 0.6),
  cpu("logs", "effect-web+combined", "effect-web", 1.15),
  cpu("logs", "effect-web+json", "effect-web", 1.15)
]

export interface Verdict {
  readonly text: string
  /** Undefined when it was not measured. */
  readonly measured: Measured | undefined
  readonly holds: boolean
}

/** The claims about the given rows, judged. */
export const judge = (results: ReadonlyArray<Result.RowResult>): ReadonlyArray<Verdict> => {
  const find: Results = (row) => results.find((one) => one.row.name === row)
  return all.flatMap(({ row, text, atMost, measure }) => {
    if (find(row) === undefined) return []
    const measured = measure(find)
    return [{ text, measured, holds: measured !== undefined && measured.ratio <= atMost }]
  })
}
