/**
 * A worker as its supervisor sees it: a process that becomes ready, works, leaves and ends.
 *
 * ```ts
 * const worker = WorkerProcess.fork({ number: 1, sockets: {} }, { onSocket, onRecycle })
 * yield* Deferred.await(worker.ready)
 * ```
 *
 * It is the same program, read again from its file: what was deployed meanwhile is what it runs.
 */
import * as Cluster from "node:cluster"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pulse from "./Pulse.ts"
import { environment, isOurs, type Order, type Report, type Seat, type SharedSocket } from "./Seat.ts"
import * as Undelivered from "./Undelivered.ts"

/** A process that was started. */
export interface WorkerProcess {
  readonly number: number
  readonly pid: number | undefined
  /** "worker 1 (process 123)". */
  readonly name: string
  /** When it was started, in milliseconds of the monotonic clock. */
  readonly since: number
  /** It listens. */
  readonly ready: Deferred.Deferred<Ready>
  /** It is no more: by which exit code or signal. */
  readonly ended: Deferred.Deferred<number | string>
  readonly pulse: Pulse.Pulse
  /** Tells it to stop. */
  readonly drain: (hasSuccessor: boolean) => void
  readonly kill: () => void
}

type Ready = Extract<Report, { readonly effectWeb: "ready" }>

/** What else it says. */
export interface Listeners {
  readonly onRecycle: (worker: WorkerProcess, reason: string) => void
  readonly onSocket: (path: string, socket: SharedSocket) => void
  readonly onEnd: (worker: WorkerProcess) => void
}

/** Starts one. */
export const fork = (seat: Seat, { onEnd, onRecycle, onSocket }: Listeners): WorkerProcess => {
  const ready = Deferred.makeUnsafe<Ready>()
  const ended = Deferred.makeUnsafe<number | string>()
  const forked = Cluster.default.fork(environment(seat))
  const { pid } = forked.process
  let isLeaving = false
  Undelivered.follow(forked)
  // It may be gone already: its end is told by itself.
  const order = (order: Order) => void forked.process.send(order, undefined, undefined, () => {})
  const self: WorkerProcess = {
    number: seat.number,
    pid,
    name: `worker ${seat.number} (process ${pid ?? "none"})`,
    since: performance.now(),
    ready,
    ended,
    pulse: { beats: 0, isExcused: false },
    drain: (hasSuccessor) => {
      isLeaving = true
      self.pulse.isExcused = true
      order({ effectWeb: "drain", hasSuccessor })
    },
    kill: () => void forked.process.kill("SIGKILL")
  }
  forked.on("message", (message: unknown) => {
    if (!isOurs<Report>(message)) return
    if (message.effectWeb === "ready") Deferred.doneUnsafe(ready, Effect.succeed(message))
    else if (message.effectWeb === "recycle") onRecycle(self, message.reason)
    else if (message.effectWeb === "socket") onSocket(message.path, message.socket)
    else if (message.effectWeb === "alive") {
      self.pulse.beats++
      self.pulse.isExcused = isLeaving || message.isDebugged
    } else order({ effectWeb: "left" })
  })
  const end = (how: number | string) => {
    onEnd(self)
    Deferred.doneUnsafe(ended, Effect.succeed(how))
  }
  forked.on("exit", (code, signal) => end(signal ?? code))
  // The system has no process to give; any other error is followed by the end.
  forked.on("error", (error) => {
    if (pid === undefined) end(error.message)
  })
  return self
}

/** How long the stop of one that is not ready may take, and how long what the app releases, in milliseconds. */
const [unready, release] = [5000, 30_000]

/** Waits for the end of one that was told to stop, and kills it when it takes longer than it said: true then. */
export const gone = (worker: WorkerProcess): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const isReady = Deferred.isDoneUnsafe(worker.ready)
    const patience = isReady ? (yield* Deferred.await(worker.ready)).patience + release : unready
    const ended = yield* Effect.timeoutOption(Deferred.await(worker.ended), Duration.millis(patience))
    if (ended._tag === "Some") return false
    worker.kill()
    yield* Deferred.await(worker.ended)
    return true
  })

/** Kills one that does not answer any more. */
export const guard = (worker: WorkerProcess, timeout: Duration.Duration): Effect.Effect<unknown> => {
  const hangs = Effect.flatMap(Pulse.lost(worker.pulse, timeout), () => {
    worker.kill()
    const blocked = `its event loop has been blocked for ${Duration.format(timeout)}`
    return Effect.logError(`${worker.name} does not answer, and was killed: ${blocked}`)
  })
  return Effect.raceFirst(Deferred.await(worker.ended), hangs)
}

/** "exit code 1", "SIGKILL". */
export const said = (end: number | string): string => (typeof end === "number" ? `exit code ${end}` : end)
