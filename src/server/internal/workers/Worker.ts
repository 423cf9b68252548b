/**
 * A worker's side: says that it listens, drains when it is told to, or when its supervisor is gone.
 *
 * ```ts
 * Program.main(Worker.serve(seat, settings, start), true)
 * ```
 */
import * as Cluster from "node:cluster"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Neighbours } from "../../../internal/lifecycle/neighbours.ts"
import type { Address } from "../../Site.ts"
import * as Pulse from "./Pulse.ts"
import * as Recycling from "./Recycling.ts"
import { CurrentWorker, isOurs, type Order, type Report, type Seat, type SharedSocket } from "./Seat.ts"
import type { Settings } from "./WorkerOptions.ts"

/** Serves until it is told to stop. Its lines have the number of the worker and of its process. */
export const serve = <E>(
  seat: Seat,
  { hangTimeout, limits }: Settings,
  start: Effect.Effect<{ readonly addresses: ReadonlyArray<Address> }, E, Scope.Scope>
): Effect.Effect<unknown, E> => {
  const sockets = new Map<string, SharedSocket>(Object.entries(seat.sockets))
  let hasSuccessor = false
  let patience = 0
  const current: CurrentWorker = {
    hasSuccessor: () => hasSuccessor,
    patience: (longest) => {
      patience = Math.max(patience, Duration.toMillis(longest))
    },
    socket: (path) => sockets.get(path),
    shares: (path, socket) => tell({ effectWeb: "socket", path, socket })
  }
  // That of the terminal, or of a whole group: it is the supervisor's.
  process.on("SIGHUP", () => {})
  // Otherwise Node would end a worker at once whose supervisor is gone.
  if (Cluster.default.worker !== undefined) Cluster.default.worker.exitedAfterDisconnect = true
  const serving = Effect.gen(function* () {
    const { addresses } = yield* start
    tell({ effectWeb: "ready", addresses, patience })
    if (hangTimeout !== undefined) Pulse.beat(hangTimeout, tell)
    yield* Recycling.watch(limits, (reason) => tell({ effectWeb: "recycle", reason }))
    return yield* Effect.never
  })
  const told = Effect.callback<void>((resume) => {
    process.on("message", (message) => {
      if (!isOurs<Order>(message) || message.effectWeb !== "drain") return
      hasSuccessor = message.hasSuccessor
      resume(Effect.void)
    })
    process.once("disconnect", () => resume(Effect.void))
  })
  return Effect.raceFirst(Effect.scoped(serving), told).pipe(
    Effect.ensuring(leave),
    Effect.provideService(CurrentWorker, current),
    Effect.provideService(Neighbours, { said: new Set() }),
    Effect.annotateLogs({ worker: seat.number, pid: process.pid })
  )
}

const tell = (report: Report): void => {
  // Who is gone need not be told.
  if (process.connected) process.send?.(report, undefined, undefined, () => {})
}

// Connections that the supervisor has sent before it knew that nobody listens here are sent back to it before the process ends.
const leave = Effect.callback<void>((resume) => {
  if (!process.connected) return resume(Effect.void)
  process.once("disconnect", () => resume(Effect.void))
  process.on("message", (message) => {
    if (isOurs<Order>(message) && message.effectWeb === "left") resume(Effect.void)
  })
  tell({ effectWeb: "leave" })
})
