/**
 * A load generator in a thread of its own, with an event loop of its own: connections that ask again as soon as they are answered, and
 * a probe that asks for the health again and again.
 *
 * ```ts
 * const { health, ok, refused } = yield* flood(port, { connections: 60, seconds: 2 })
 * ```
 */
import * as Http from "node:http"
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import * as Effect from "effect/Effect"

export interface Load {
  readonly connections: number
  readonly seconds: number
}

/** Latencies in milliseconds, in order; what began in the first second and a half does not count. */
export interface Result {
  readonly answered: number
  /** With those that still waited at the end. */
  readonly ok: ReadonlyArray<number>
  readonly refused: ReadonlyArray<number>
  readonly health: ReadonlyArray<number>
  readonly other: number
}

/** The latency below which that share is. */
export const quantile = (sorted: ReadonlyArray<number>, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.POSITIVE_INFINITY

/** Floods `/work` and probes `/health/live`. */
export const flood = (port: number, load: Load): Effect.Effect<Result, unknown> =>
  Effect.callback((resume) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { port, ...load } })
    worker.once("message", (result: Result) => resume(Effect.succeed(result)))
    worker.once("error", (error) => resume(Effect.fail(error)))
    return Effect.promise(() => worker.terminate())
  })

type Count = (status: number, time: number) => void

/** Each connection has an agent of its own, which keeps it. */
const ask = (port: number, agent: Http.Agent, path: string, then: Count): void => {
  const began = performance.now()
  Http.get({ port, path, agent }, (response) => {
    response.resume()
    response.once("end", () => then(response.statusCode ?? 0, performance.now() - began))
  }).once("error", () => then(0, 0))
}

const run = ({ connections, port, seconds }: Load & { readonly port: number }): void => {
  const make = () => new Http.Agent({ keepAlive: true, maxSockets: 1 })
  const agents = Array.from({ length: connections }, make)
  const probe = make()
  let missing = connections + 1
  // Node takes one new connection in a turn of its loop: all are there before the flood begins.
  for (const agent of [...agents, probe]) {
    ask(port, agent, "/health/live", () => {
      if (--missing === 0) start(port, agents, probe, seconds)
    })
  }
}

const start = (port: number, agents: ReadonlyArray<Http.Agent>, probe: Http.Agent, seconds: number): void => {
  const [ok, refused, health]: [Array<number>, Array<number>, Array<number>] = [[], [], []]
  const warm = performance.now() + 1500
  const pending = new Map<Http.Agent, number>()
  let [isOver, other] = [false, 0]
  const count = (status: number, time: number, answered: Array<number>): void => {
    if (isOver || performance.now() - time < warm) return
    if (status === 200) answered.push(time)
    else if (status === 503) refused.push(time)
    else other++
  }
  const again = (agent: Http.Agent): void => {
    pending.set(agent, performance.now())
    ask(port, agent, "/work", (status, time) => {
      count(status, time, ok)
      if (!isOver) again(agent)
    })
  }
  for (const agent of agents) again(agent)
  const look = (): void =>
    ask(port, probe, "/health/live", (status, time) => {
      count(status, time, health)
      if (!isOver) setTimeout(look, 50)
    })
  look()
  setTimeout(() => {
    isOver = true
    // Who still waits has waited for so long.
    const waiting = [...pending.values()].map((began) => performance.now() - began)
    const sorted = (times: ReadonlyArray<number>) => [...times].sort((a, b) => a - b)
    parentPort?.postMessage({
      answered: ok.length,
      ok: sorted([...ok, ...waiting]),
      refused: sorted(refused),
      health: sorted(health),
      other
    } satisfies Result)
    for (const agent of [...agents, probe]) agent.destroy()
  }, seconds * 1000)
}

if (!isMainThread && typeof workerData?.connections === "number") run(workerData)
