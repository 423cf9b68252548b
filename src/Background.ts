/**
 * Work beside the requests that belongs to the server: named, bounded, restarted when it fails, and not forgotten when it stops.
 *
 * ```ts
 * yield* Background.afterResponse(sendMail(user)) // when this answer has left
 * yield* Background.fork("thumbnails", resize(file), { limit: 4 }) // a fiber that outlives its request
 * app.pipe(App.onStart(Background.fork("feed", follow, { restart: Schedule.exponential("1 second") })))
 * app.pipe(App.onStart(Background.cron("purge", "0 4 * * *", purge)))
 * ```
 *
 * A stop awaits what is running within `shutdownTimeout`, then interrupts it; what is restarted is interrupted at once. The drain
 * report counts it. A failure is logged as an error, with the name and the id of the request it came from. Without a server, as in a
 * Layer beside it and under other engines, it belongs to the process.
 *
 * @source aiohttp.web.Application.cleanup_ctx (background tasks), aiojobs
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Cron from "effect/Cron"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as HttpError from "./HttpError.ts"
import * as Exchange from "./internal/exchange/exchange.ts"
import { CurrentTasks, type OnDrain } from "./internal/lifecycle/tasks.ts"

/** As many tasks of a name are running as may (503, with `Retry-After`). */
export class Full extends HttpError.define<Full>()("BackgroundFull", {
  status: 503,
  headers: () => ({ "retry-after": "1" })
}) {}

/** How a task runs. */
export interface Options {
  /** How many of the same name may run at a time; 1000. */
  readonly limit?: number
  /** What happens at the limit: `fail` with `Full`, which is the default, or `wait` until one has ended. */
  readonly whenFull?: "fail" | "wait"
  /** When it fails or dies it starts again by this schedule, given its cause; each time is logged as a warning. */
  readonly restart?: Schedule.Schedule<unknown, Cause.Cause<unknown>>
  /** `await` unless it is restarted: a stop lets it finish. `interrupt`: a stop interrupts it at once. */
  readonly onDrain?: OnDrain
}

/**
 * Runs an effect in a fiber of the server, with the services and the log annotations of here, and a scope of its own. Ends when it has
 * begun. The limit has to be the same wherever the name is used.
 *
 * @errors Full (503) at the limit
 */
export const fork: <A, E, R>(
  name: string,
  effect: Effect.Effect<A, E, R>,
  options?: Options
) => Effect.Effect<Fiber.Fiber<A, E>, Full, Exclude<R, Scope.Scope>> = Effect.fnUntraced(function* <A, E, R>(
  name: string,
  effect: Effect.Effect<A, E, R>,
  options: Options = {}
) {
  const { limit = 1000, restart, whenFull = "fail" } = options
  const tasks = yield* CurrentTasks
  while (tasks.count(name) >= limit) {
    if (whenFull === "fail") return yield* new Full()
    yield* tasks.room(name)
  }
  const context = yield* Effect.context<Exclude<R, Scope.Scope>>()
  const whole = Effect.scoped(restart === undefined ? effect : supervised(name, effect, restart))
  const onDrain = options.onDrain ?? (restart === undefined ? "await" : "interrupt")
  const now = yield* Clock.currentTimeMillis
  return tasks.run(name, Effect.provideContext(whole, context), context as Context.Context<never>, onDrain, now)
})

// A defect restarts it as a failure does; an interruption is the end.
const supervised = <A, E, R>(
  name: string,
  effect: Effect.Effect<A, E, R>,
  restart: Schedule.Schedule<unknown, Cause.Cause<unknown>>
): Effect.Effect<A, E, R> =>
  Effect.sandbox(Effect.scoped(effect)).pipe(
    Effect.retry({
      schedule: Schedule.tap(restart, ({ input }) =>
        Effect.logWarning(`The background task "${name}" failed; it starts again`, input)
      ),
      while: (cause) => !Cause.hasInterruptsOnly(cause)
    }),
    Effect.catch((cause) => Effect.failCause(cause))
  ) as Effect.Effect<A, E, R>

/**
 * Runs an effect when the answer to this request has left, or its client has; at most 1000 at a time, the others wait. For what needs
 * to know how the request ended there is `App.onOutcome`.
 */
export const afterResponse = <E, R>(
  effect: Effect.Effect<unknown, E, R>,
  name = "afterResponse"
): Effect.Effect<void, never, Exclude<R, Scope.Scope> | HttpServerRequest> =>
  Effect.withFiber((fiber) => {
    const context = fiber.context as Context.Context<Exclude<R, Scope.Scope> | HttpServerRequest>
    const tasks = fiber.getRef(CurrentTasks)
    const clock = fiber.getRef(Clock.Clock)
    const work = tasks.afterResponses.withPermits(1)(Effect.provideContext(Effect.scoped(effect), context))
    const begin = (): void => {
      tasks.run(name, work, context as Context.Context<never>, "await", clock.currentTimeMillisUnsafe())
    }
    const request: HttpServerRequest & Exchange.Followed = Context.get(context, HttpServerRequest)
    const exchange = request[Exchange.symbol]?.(clock) ?? Exchange.peek(request)
    if (exchange !== undefined) {
      exchange.observe(begin)
      return Effect.void
    }
    // Under other engines a request ends with its scope.
    const scope = Context.getOrUndefined(fiber.context, Scope.Scope)
    return scope === undefined ? Effect.sync(begin) : Scope.addFinalizer(scope, Effect.sync(begin))
  })

/** So long is slept at most, in milliseconds: clocks are set, and machines suspended. */
const nap = 3_600_000

/**
 * Runs an effect at the times of a cron expression (five fields, or six with seconds), for `App.onStart`. One run at a time: what comes
 * due meanwhile is left out. A stop awaits the run, not the next time. Each process has its own. Throws a TypeError for what is no
 * cron expression.
 */
export const cron = <E, R>(
  name: string,
  expression: string | Cron.Cron,
  effect: Effect.Effect<unknown, E, R>
): Effect.Effect<void, Full, Exclude<R, Scope.Scope>> => {
  const times = parse(name, expression)
  const due = Effect.gen(function* () {
    const at = Cron.next(times, yield* Clock.currentTimeMillis).getTime()
    for (let rest = 1; rest > 0; ) {
      rest = at - (yield* Clock.currentTimeMillis)
      if (rest > 0) yield* Effect.sleep(Math.min(rest, nap))
    }
  })
  const run = Effect.andThen(fork(name, effect), Fiber.await)
  return Effect.asVoid(fork(`cron ${name}`, Effect.forever(Effect.andThen(due, run)), { onDrain: "interrupt" }))
}

const parse = (name: string, expression: string | Cron.Cron): Cron.Cron => {
  if (typeof expression !== "string") return expression
  const parsed = Cron.parse(expression)
  if (Result.isSuccess(parsed)) return parsed.success
  throw new TypeError(
    `Background.cron: "${expression}" of "${name}" is no cron expression (${parsed.failure.message}); give five fields, as "0 4 * * *"`
  )
}
