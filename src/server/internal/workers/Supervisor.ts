/**
 * The process over the workers: it starts them, and serves nothing itself.
 *
 * ```ts
 * Supervisor.main(settings, { handleSignals: true, onReady: (addresses) => print(banner(addresses)) })
 * ```
 *
 * SIGTERM and SIGINT drain all workers, SIGHUP replaces them one by one.
 *
 * @source gunicorn, node:cluster
 */
import * as Cluster from "node:cluster"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Address } from "../../Site.ts"
import * as Program from "../Program.ts"
import * as Notify from "../sites/Notify.ts"
import * as UnixSocket from "../sites/UnixSocket.ts"
import * as Crew from "./Crew.ts"
import type { Settings } from "./WorkerOptions.ts"

/** What the program does with it. */
export interface Options {
  readonly handleSignals: boolean
  /** All workers listen. */
  readonly onReady: (addresses: ReadonlyArray<Address>) => void
}

/** Whether this process may be a supervisor: a worker, of whomever, may not. */
export const isPossible = (): boolean => Cluster.default.isPrimary

/** Runs as the whole program: ends with 0 when all workers have stopped, with 1 when they do not start. */
export const main = (settings: Settings, { handleSignals, onReady }: Options): void => {
  if (process.argv[1] === undefined || process.argv[1] === "-")
    throw new TypeError(
      "workers: the program has no file that they could run; start it from one, or leave `workers` out"
    )
  let killAll = () => {}
  const supervise = Effect.gen(function* () {
    // Those that come before the workers are ready wait too; more than one is one.
    const hangups = yield* Queue.sliding<void>(1)
    if (handleSignals) process.on("SIGHUP", () => Queue.offerUnsafe(hangups, undefined))
    const crew = yield* Crew.make(settings)
    killAll = () => crew.killAll()
    yield* Effect.addFinalizer(() => Effect.sync(() => UnixSocket.removeShared(crew.shared)))
    const addresses = yield* crew.begin
    onReady(addresses)
    yield* Effect.logInfo(`${text(crew)} run on ${addresses.map(({ url }) => url).join(", ")}`)
    yield* Notify.serving(text(crew))
    const rolls = Effect.forever(Effect.andThen(Queue.take(hangups), roll(crew)))
    return yield* Effect.raceFirst(Deferred.await(crew.givenUp), rolls)
  })
  const annotated = Effect.annotateLogs(Effect.scoped(supervise), { supervisor: process.pid })
  const said = Effect.catchTag(annotated, "NotStarted", ({ isSaid, message }) =>
    Effect.fail(new Program.Failed({ message: isSaid ? "" : message }))
  )
  const { logger } = settings
  Program.main(logger === undefined ? said : Effect.provide(said, logger), handleSignals, () => killAll())
}

const text = ({ pids }: Crew.Crew): string =>
  `${pids.length} worker${pids.length === 1 ? "" : "s"} (${pids.length === 1 ? "process" : "processes"} ${pids.join(", ")})`

const roll = Effect.fnUntraced(function* (crew: Crew.Crew): Effect.fn.Return<void, never, Scope.Scope> {
  yield* Notify.reloading
  yield* Effect.logInfo("SIGHUP: all workers are replaced, one by one")
  if (yield* crew.roll) yield* Effect.logInfo(`${text(crew)} run now`)
  else yield* Effect.logError("Not all workers were replaced: what runs goes on")
  yield* Notify.ready(text(crew))
})
