/**
 * A load generator in a thread of its own, with an event loop of its own: connections that ask again as soon as they are answered, and a
 * probe that asks for the health 20 times a second.
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

const run = ({ connections, port, seconds }: Load & { readonly port: number }): void => {
  const agent = new Http.Agent({ keepAlive: true })
  const [ok, refused, health]: [Array<number>, Array<number>, Array<number>] = [[], [], []]
  let other = 0
  const warm = performance.now() + 1500
  let isOver = false
  const ask = (path: string, then: (status: number, time: number) => void): void => {
    const began = performance.now()
    Http.get({ port, path, agent }, (response) => {
      response.resume()
      response.once("end", () => then(response.statusCode ?? 0, performance.now() - began))
    }).once("error", () => then(0, 0))
  }
  const count = (status: number, time: number, answered: Array<number>): void => {
    if (performance.now() - time < warm) return
    if (status === 200) answered.push(time)
    else if (status === 503) refused.push(time)
    else other++
  }
  const again = (): void =>
    ask("/work", (status, time) => {
      if (isOver) return
      count(status, time, ok)
      again()
    })
  for (let i = 0; i < connections; i++) again()
  const probe = setInterval(
    () =>
      ask("/health/live", (status, time) => {
        if (!isOver) count(status, time, health)
      }),
    50
  )
  setTimeout(() => {
    isOver = true
    clearInterval(probe)
    const sorted = (times: Array<number>) => times.sort((a, b) => a - b)
    parentPort?.postMessage({ ok: sorted(ok), refused: sorted(refused), health: sorted(health), other })
    agent.destroy()
  }, seconds * 1000)
}

if (!isMainThread && typeof workerData?.connections === "number") run(workerData)
