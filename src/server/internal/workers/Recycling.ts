/**
 * When a worker has served long enough, and wants to be replaced.
 *
 * ```ts
 * yield* Recycling.watch({ maxRequests: 1000, maxMemory: undefined, maxAge: undefined }, ask)
 * ```
 *
 * Limits of requests and of age are up to a tenth more, by chance: workers that started together do not go together.
 *
 * @source gunicorn max_requests_jitter
 */
import * as DiagnosticsChannel from "node:diagnostics_channel"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type { Limits } from "./WorkerOptions.ts"

/** Where Node says that a request has begun. */
const channels = ["http.server.request.start", "http2.server.stream.start"]

/** Calls back, once, with the first reason that there is. */
export const watch = Effect.fnUntraced(function* (
  { maxAge, maxMemory, maxRequests }: Limits,
  ask: (reason: string) => void
): Effect.fn.Return<void, never, Scope.Scope> {
  const share = 1 + (yield* Random.next) / 10
  const reasons = [
    ...(maxRequests === undefined ? [] : [requests(Math.floor(maxRequests * share))]),
    ...(maxMemory === undefined ? [] : [memory(maxMemory)]),
    ...(maxAge === undefined ? [] : [Effect.as(Effect.sleep(Duration.times(maxAge, share)), "it is old enough")])
  ]
  if (reasons.length > 0) yield* Effect.forkScoped(Effect.map(Effect.raceAllFirst(reasons), ask))
})

const requests = (most: number): Effect.Effect<string> =>
  Effect.callback((resume) => {
    let count = 0
    const onRequest = () => {
      count++
      if (count === most) resume(Effect.succeed(`it has had ${most} requests`))
    }
    for (const channel of channels) DiagnosticsChannel.subscribe(channel, onRequest)
    return Effect.sync(() => {
      for (const channel of channels) DiagnosticsChannel.unsubscribe(channel, onRequest)
    })
  })

const memory = (most: number): Effect.Effect<string> => {
  const look = Effect.delay(
    Effect.sync(() => process.memoryUsage.rss()),
    "5 seconds"
  )
  const isMore = (bytes: number) => bytes > most
  return Effect.map(Effect.repeat(look, { until: isMore }), (bytes) => `it takes ${Math.round(bytes / 2 ** 20)} MiB`)
}
