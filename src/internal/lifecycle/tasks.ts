/**
 * The background work of a server: what is running, and how it ends when the server stops.
 *
 * ```ts
 * const fiber = tasks.run("mail", send, context, "await")
 * ```
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Semaphore from "effect/Semaphore"

/** What becomes of a task when the server stops: it may finish, or it is interrupted at once. */
export type OnDrain = "await" | "interrupt"

interface Task {
  readonly name: string
  readonly onDrain: OnDrain
  readonly since: number
}

/** So many effects of `afterResponse` run at a time; the others wait. */
const most = 1000

/** The tasks of a server. */
export class Tasks {
  readonly afterResponses = Semaphore.makeUnsafe(most)
  /** How many have ended since the stop began, and how. */
  readonly counts = { finished: 0, onDrain: 0, interrupted: 0, destroyed: 0, aborted: 0 }
  private readonly tasks = new Map<Fiber.Fiber<unknown, unknown>, Task>()
  private readonly waiting = new Map<string, Array<() => void>>()
  private isDraining = false
  private isCutting = false

  /** Runs a task. What it fails with is logged, once. */
  run<A, E>(
    name: string,
    effect: Effect.Effect<A, E>,
    context: Context.Context<never>,
    onDrain: OnDrain,
    now: number
  ): Fiber.Fiber<A, E> {
    const watched = Effect.tapCause(effect, (cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError(`The background task "${name}" failed`, cause)
    )
    const fiber = Effect.runForkWith(context)(Effect.annotateLogs(watched, { task: name }))
    this.tasks.set(fiber, { name, onDrain, since: now })
    fiber.addObserver((exit) => this.ended(fiber, name, onDrain, exit))
    if (this.isDraining && onDrain === "interrupt") fiber.interruptUnsafe()
    return fiber
  }

  private ended(
    fiber: Fiber.Fiber<unknown, unknown>,
    name: string,
    onDrain: OnDrain,
    exit: Exit.Exit<unknown, unknown>
  ): void {
    this.tasks.delete(fiber)
    if (this.isDraining) {
      const isInterrupted = Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause)
      const isLost = isInterrupted && onDrain === "await" && this.isCutting
      const isAsked = isInterrupted && onDrain === "interrupt"
      this.counts[isLost ? "interrupted" : isAsked ? "onDrain" : "finished"]++
    }
    this.waiting.get(name)?.shift()?.()
  }

  /** How many of a name are running. */
  count(name: string): number {
    let count = 0
    for (const task of this.tasks.values()) if (task.name === name) count++
    return count
  }

  /** Waits until one of the name has ended. */
  room(name: string): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const queue = this.waiting.get(name) ?? []
      const go = () => resume(Effect.void)
      this.waiting.set(name, queue)
      queue.push(go)
      return Effect.sync(() => {
        const at = queue.indexOf(go)
        if (at !== -1) queue.splice(at, 1)
      })
    })
  }

  /** The stop begins: what goes on for ever is interrupted. */
  drain(): void {
    this.isDraining = true
    for (const [fiber, { onDrain }] of this.tasks) if (onDrain === "interrupt") fiber.interruptUnsafe()
  }

  /** Waits until none is running, those included that begin meanwhile. */
  readonly settled: Effect.Effect<void> = Effect.suspend(() =>
    this.tasks.size === 0 ? Effect.void : Effect.andThen(Fiber.awaitAll([...this.tasks.keys()]), this.settled)
  )

  /** Interrupts what is running and waits for it. */
  readonly interruptAll: Effect.Effect<void> = Effect.suspend(() => {
    this.isCutting = true
    return Fiber.interruptAll([...this.tasks.keys()])
  })

  /** Ends what a start that failed has begun; a stop has done it already. By the real clock, for tests have another. */
  readonly release: Effect.Effect<void> = Effect.suspend(() =>
    this.isDraining
      ? Effect.void
      : Effect.provideService(
          Effect.asVoid(Effect.timeoutOption(this.interruptAll, "5 seconds")),
          Clock.Clock,
          Clock.Clock.defaultValue()
        )
  )

  /** What is running, by name and age. */
  running(now: number): ReadonlyArray<{ readonly route: string; readonly age: number }> {
    return Array.from(this.tasks.values(), ({ name, since }) => ({ route: `task ${name}`, age: now - since }))
  }
}

/** The tasks of the server that the fiber belongs to. Without a server there are those of the process, which nobody awaits. */
export const CurrentTasks = Context.Reference<Tasks>("effect-web/Tasks", { defaultValue: () => new Tasks() })

const all = new WeakMap<object, Tasks>()

/** The tasks of a server, all of its sites together. */
export const tasksOf = (server: object): Tasks => {
  const tasks = all.get(server) ?? new Tasks()
  all.set(server, tasks)
  return tasks
}
