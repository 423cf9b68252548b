/**
 * The workers of a supervisor, each in its place: starts them, replaces them, stops them.
 *
 * ```ts
 * const crew = yield* Crew.make(settings)
 * yield* crew.begin
 * yield* crew.roll
 * ```
 *
 * A new worker is ready before the old one is told to stop. One that does not start leaves the old one where it is.
 */
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Address } from "../../Site.ts"
import type { SharedSocket } from "./Seat.ts"
import type { Settings } from "./WorkerOptions.ts"
import * as WorkerProcess from "./WorkerProcess.ts"

/** A worker did not come to listen; `isSaid` when it has written the reason itself. */
export class NotStarted extends Data.TaggedError("NotStarted")<{
  readonly message: string
  readonly isSaid: boolean
}> {}

interface Place {
  readonly number: number
  /** Held by whoever starts a worker for it. */
  readonly lock: Semaphore.Semaphore
  current: WorkerProcess.WorkerProcess | undefined
  /** How many workers in a row have not lived long. */
  crashes: number
}

/** One that has lived so long, in milliseconds, has not failed. */
const healthy = 10_000

/** How long after a failure the next start comes: at once the first time, in the end every ten seconds. */
const backoff = (failures: number): Duration.Duration =>
  failures <= 1 ? Duration.zero : Duration.millis(Math.min(10_000, 100 * 2 ** Math.min(failures - 2, 10)))

/** Makes the crew of a scope, whose end is its graceful stop. */
export const make = Effect.fnUntraced(function* (settings: Settings): Effect.fn.Return<Crew, never, Scope.Scope> {
  const crew = new Crew(settings, yield* Effect.scope, yield* Queue.unbounded<Recycled>())
  yield* Effect.addFinalizer(() => crew.stop)
  yield* Effect.forkScoped(crew.recycle)
  return crew
})

interface Recycled {
  readonly worker: WorkerProcess.WorkerProcess
  readonly reason: string
}

/** The workers. */
export class Crew {
  /** Fails when workers have failed too often. */
  readonly givenUp = Deferred.makeUnsafe<never, NotStarted>()
  private readonly places: ReadonlyArray<Place>
  /** All processes, those too that do not listen yet or any more. */
  private readonly alive = new Set<WorkerProcess.WorkerProcess>()
  private readonly leaving = new Set<WorkerProcess.WorkerProcess>()
  private readonly sockets: Record<string, SharedSocket> = {}
  private readonly turns = Semaphore.makeUnsafe(1)
  private readonly settings: Settings
  private readonly scope: Scope.Scope
  private readonly recycled: Queue.Queue<Recycled>
  private isStopping = false
  /** How many starts in a row have failed. */
  private failures = 0

  constructor(settings: Settings, scope: Scope.Scope, recycled: Queue.Queue<Recycled>) {
    this.settings = settings
    this.scope = scope
    this.recycled = recycled
    this.places = Array.from({ length: settings.count }, (_, index) => ({
      number: index + 1,
      lock: Semaphore.makeUnsafe(1),
      current: undefined,
      crashes: 0
    }))
  }

  /** The processes that serve. */
  get pids(): ReadonlyArray<number | undefined> {
    return this.places.flatMap(({ current }) => (current === undefined ? [] : [current.pid]))
  }

  /** The unix sockets, as the workers have left them. */
  get shared(): Readonly<Record<string, SharedSocket>> {
    return this.sockets
  }

  /** Starts all: the first alone, so that what keeps all of them from starting is said once. */
  get begin(): Effect.Effect<ReadonlyArray<Address>, NotStarted> {
    const [first, ...others] = this.places as [Place, ...Array<Place>]
    return Effect.gen({ self: this }, function* () {
      const { addresses } = yield* first.lock.withPermits(1)(this.start(first))
      yield* Effect.forEach(others, (place) => place.lock.withPermits(1)(this.start(place)), {
        concurrency: "unbounded",
        discard: true
      })
      return addresses
    })
  }

  /** Replaces all, one after the other; false when one did not start: the old ones, from there on, go on. */
  get roll(): Effect.Effect<boolean> {
    const all = Effect.gen({ self: this }, function* () {
      for (const place of this.places) if (!(yield* this.replace(place))) return false
      return true
    })
    return this.turns.withPermits(1)(all)
  }

  /** Replaces those that ask for it, one after the other. */
  get recycle(): Effect.Effect<never> {
    const one = Effect.gen({ self: this }, function* () {
      const asked = yield* Queue.take(this.recycled)
      const { reason, worker } = asked
      const place = this.places.find(({ current }) => current === worker)
      if (place === undefined) return
      yield* Effect.logInfo(`${worker.name} gives way to a new one: ${reason}`)
      if (yield* this.turns.withPermits(1)(this.replace(place))) return
      const again = Effect.sync(() => Queue.offerUnsafe(this.recycled, asked))
      yield* Effect.forkIn(Effect.delay(again, Duration.millis(healthy)), this.scope)
    })
    return Effect.forever(one)
  }

  /** Tells all to stop, and waits for their end. */
  get stop(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.isStopping = true
      for (const worker of this.alive) worker.drain(false)
      return Effect.forEach([...this.alive], (worker) => this.ended(worker), {
        concurrency: "unbounded",
        discard: true
      })
    })
  }

  /** Ends all, at once. */
  killAll(): void {
    for (const worker of this.alive) worker.kill()
  }

  private fork(place: Place): WorkerProcess.WorkerProcess {
    const worker = WorkerProcess.fork(
      { number: place.number, sockets: this.sockets },
      {
        onSocket: (path, socket) => {
          this.sockets[path] = socket
        },
        onRecycle: (worker, reason) => void Queue.offerUnsafe(this.recycled, { worker, reason }),
        onEnd: (worker) => this.alive.delete(worker)
      }
    )
    this.alive.add(worker)
    return worker
  }

  // Has a worker for a place. Who calls has its lock.
  private start(place: Place) {
    return Effect.gen({ self: this }, function* () {
      const { hangTimeout, startTimeout } = this.settings
      const worker = this.fork(place)
      const ended = Effect.flatMap(Deferred.await(worker.ended), (end) => {
        const message = `${worker.name} ended before it listened: ${WorkerProcess.said(end)}`
        return Effect.fail(new NotStarted({ message, isSaid: end === 1 }))
      })
      const late = Effect.suspend(() => {
        worker.kill()
        const message = `${worker.name} did not listen within ${Duration.format(startTimeout)}, and was killed`
        return Effect.fail(new NotStarted({ message, isSaid: false }))
      })
      const ready = yield* Effect.timeoutOrElse(Effect.raceFirst(Deferred.await(worker.ready), ended), {
        duration: startTimeout,
        orElse: () => late
      })
      this.failures = 0
      place.current = worker
      yield* Effect.forkIn(this.watch(place, worker), this.scope)
      if (hangTimeout !== undefined) yield* Effect.forkIn(WorkerProcess.guard(worker, hangTimeout), this.scope)
      return ready
    })
  }

  // The new one first, then the old one.
  private replace(place: Place): Effect.Effect<boolean> {
    const replaced = Effect.gen({ self: this }, function* () {
      // So that there are never more than twice as many, and one.
      while (this.leaving.size >= this.places.length)
        yield* Effect.raceAllFirst(Array.from(this.leaving, ({ ended }) => Deferred.await(ended)))
      const old = place.current
      yield* this.start(place)
      place.crashes = 0
      if (old === undefined) return true
      this.leaving.add(old)
      old.drain(true)
      yield* Effect.forkIn(this.ended(old), this.scope)
      return true
    })
    const stays = ({ message }: NotStarted) => Effect.as(Effect.logError(`${message}; the old one goes on`), false)
    return place.lock.withPermits(1)(Effect.catch(replaced, stays))
  }

  // Waits for the end of one that has to stop.
  private ended(worker: WorkerProcess.WorkerProcess): Effect.Effect<void> {
    return Effect.flatMap(WorkerProcess.gone(worker), (killed) => {
      this.leaving.delete(worker)
      return killed ? Effect.logWarning(`${worker.name} did not stop in time, and was killed`) : Effect.void
    })
  }

  // Replaces a worker that ends without being told to.
  private watch(place: Place, worker: WorkerProcess.WorkerProcess): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const end = yield* Deferred.await(worker.ended)
      if (this.isStopping || place.current !== worker) return
      place.current = undefined
      place.crashes = performance.now() - worker.since < healthy ? place.crashes + 1 : 1
      // Somebody has told it to.
      const log = end === 0 ? Effect.logWarning : Effect.logError
      yield* log(`${worker.name} has ended: ${WorkerProcess.said(end)}; another one starts`)
      yield* place.lock.withPermits(1)(this.refill(place))
    })
  }

  private refill(place: Place): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      while (place.current === undefined && !this.isStopping) {
        yield* Effect.sleep(backoff(place.crashes + this.failures))
        const failed = yield* Effect.match(this.start(place), { onFailure: (e) => e, onSuccess: () => undefined })
        if (failed === undefined) return yield* Effect.logInfo(`A new worker ${place.number} listens`)
        this.failures++
        yield* Effect.logError(failed.message)
        if (this.failures < this.settings.maxRestarts || this.pids.length > 0) continue
        const message = `no worker has started in ${this.failures} attempts; given up`
        Deferred.doneUnsafe(this.givenUp, Effect.fail(new NotStarted({ message, isSaid: false })))
        return
      }
    })
  }
}
