/** The claims about speed, as one table. `--assert` holds a run to it; a claim that was not measured does not hold. */
import * as Result from "./Result.ts"
import * as Servers from "./Servers.ts"

export interface Claim {
  readonly row: string
  readonly server: string
  readonly over: string
  /** The highest median of the CPU time per request, as a ratio to `over` in the same round. */
  readonly atMost: number
}

export const all: ReadonlyArray<Claim> = [
  { row: "text", server: "effect-web", over: Servers.baseline, atMost: 1.15 },
  { row: "json", server: "effect-web", over: Servers.baseline, atMost: 1.15 },
  { row: "user", server: "effect-web", over: Servers.baseline, atMost: 1.15 },
  { row: "text", server: "effect-web", over: "effect-router", atMost: 1 },
  { row: "json", server: "effect-web", over: "effect-router", atMost: 1 },
  { row: "user", server: "effect-web", over: "effect-router", atMost: 1 },
  { row: "echo", server: "effect-web", over: "effect-router", atMost: 1 }
]

export interface Verdict extends Claim {
  /** Undefined when it was not measured. */
  readonly measured: number | undefined
  readonly holds: boolean
}

/** The claims about the given rows, judged. */
export const judge = (results: ReadonlyArray<Result.RowResult>): ReadonlyArray<Verdict> =>
  all.flatMap((claim) => {
    const result = results.find((one) => one.row.name === claim.row)
    if (result === undefined) return []
    const measured = Result.ratio(result, claim.server, Result.cpu, claim.over)?.median
    return [{ ...claim, measured, holds: measured !== undefined && measured <= claim.atMost }]
  })
