/**
 * Admits as many requests at a time as are good for the latency, and refuses the rest at once with 503: the least important first.
 *
 * ```ts
 * const app = App.make({ health, home: Route.get("/", home).pipe(Route.priority("high")) }).pipe(
 *   App.use(Overload.make({ key: RateLimit.byAddress })) // what is inside is limited, also what is not found
 * )
 * ```
 *
 * The limit finds itself: it falls when answers take longer than they do with little to do, and rises when they do not and the limit is
 * reached. What is above waits a moment, by `Route.priority` and then each key in its turn. And when Node's event loop is late, so that
 * requests have waited before anybody could see them, what comes is refused before it runs. Other engines have no such measure.
 *
 * `Route.priority("critical")`, as the routes of `Health` have it, is never refused. A request counts until its response is there: event
 * streams, downloads and sockets that are open do not, nor does a handler while it waits for the client to send its body, which then goes
 * on at once, above the limit too. `key` is waited for no longer than `wait`. The access log has the outcome `shed`, the log one line a second.
 *
 * @spec RFC 9110 §10.2.3, §15.6.4
 * @source Netflix concurrency-limits (Gradient2), Envoy's adaptive concurrency, Facebook's CoDel and adaptive LIFO
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { Engine } from "../Handler.ts"
import * as Passage from "../internal/exchange/passage.ts"
import { because } from "../internal/lifecycle/readiness.ts"
import { ServerMemory } from "../internal/lifecycle/serverMemory.ts"
import { Gate, type Rules } from "../internal/overload/gate.ts"
import { Overloaded } from "../internal/overload/shed.ts"
import type { Incoming } from "../internal/overload/uploads.ts"
import type { Middleware } from "../Middleware.ts"

export { Overloaded } from "../internal/overload/shed.ts"

/** The bounds of the limit, who waits for how long, and whose turn it is. */
export interface Options<out E = never, out R = never> {
  /** The least at a time; 4. */
  readonly minLimit?: number
  /** The most at a time; 1000. */
  readonly maxLimit?: number
  /** At the start; 20. */
  readonly initialLimit?: number
  /** How many times slower than with little to do is still good; 1.5. */
  readonly tolerance?: number
  /** How many may wait; half as many as the limit is. 0 for none. */
  readonly queue?: number
  /** How long one may wait; 250 milliseconds. Not longer than its `Deadline` allows, less what its route takes. */
  readonly wait?: Duration.Input
  /**
   * Who shares fairly: of those that wait each key has its turn, as `RateLimit.byAddress` or the id of a user. Without it, and where it
   * gives undefined, all are one. It is asked for where a request has to wait.
   */
  readonly key?: Effect.Effect<string | undefined, E, R>
  /**
   * How long a turn of the event loop may take, its longest piece not counted, before what is "normal" is refused; 100 milliseconds.
   * Half of that for what is "sheddable", twice for what is "high". `Duration.infinity` for no matter how long.
   */
  readonly eventLoopDelay?: Duration.Input
  /** When who was refused may come back: then, or up to twice as late, by chance; 1 second. */
  readonly retryAfter?: Duration.Input
  /**
   * When readiness (`Health`) says no: when requests have been refused for so long. Never unless given, for what one server has too much
   * of, the others would get then. Liveness never says no for that.
   */
  readonly unreadyAfter?: Duration.Input
}

/**
 * Makes the middleware; one value is one limit in each server. Throws a TypeError for bounds that are none.
 *
 * @errors Overload.Overloaded (503) with `Retry-After`
 */
export const make = <E = never, R = never>(
  options: Options<E, R> = {}
): Middleware<never, E | Overloaded, Exclude<R, Engine | HttpServerRequest>> => {
  const rules = rulesOf(options)
  const unreadyAfter = Duration.toMillis(time(options.unreadyAfter ?? Duration.infinity, "unreadyAfter"))
  const gates = new WeakMap<object, Gate>()
  const gateOf = (context: Context.Context<never>): Gate => {
    const server = Context.get(context, ServerMemory)
    const found = gates.get(server)
    if (found !== undefined) return found
    const gate = new Gate(rules)
    gates.set(server, gate)
    if (unreadyAfter !== Number.POSITIVE_INFINITY) {
      because(server, (now) => (gate.shedFor(now) >= unreadyAfter ? "The server has too much to do" : undefined))
    }
    return gate
  }
  const one = Effect.succeed("")
  const given = options.key === undefined ? undefined : Effect.map(options.key, (key) => key ?? "")

  const middleware = Passage.middleware((passage) => {
    const { name, policies } = passage.route
    const priority = policies?.priority ?? "normal"
    if (priority === "critical") return undefined
    const gate = gateOf(passage.outer)
    const refusal = gate.refusal(passage.outer, priority)
    if (refusal !== undefined) return refusal
    // A handler that needs no fiber ends before another begins: it takes no place, but waits where others wait.
    passage.needsFiber ||= gate.isFull(passage.outer)
    passage.surround((handler) => {
      // What gives services around this one may have the key.
      const key = given === undefined ? one : Effect.updateContext(given as typeof one, () => passage.context)
      return gate.admitted(handler, { route: name, priority, key, source: passage.request as Incoming })
    })
    return undefined
  })
  // What it adds and needs is said by the type above.
  return Object.assign(middleware, { errors: [Overloaded] }) as never
}

const rulesOf = (options: Options<unknown, unknown>): Rules => {
  const { maxLimit = 1000, minLimit = Math.min(4, maxLimit), queue, tolerance = 1.5 } = options
  const { initialLimit = Math.max(minLimit, Math.min(20, maxLimit)) } = options
  for (const [name, count] of Object.entries({ maxLimit, minLimit, initialLimit })) {
    if (!Number.isSafeInteger(count) || count < 1) throw wrong(name, count, "a whole number from 1")
  }
  if (minLimit > maxLimit) throw wrong("minLimit", minLimit, `at most maxLimit, ${maxLimit}`)
  if (initialLimit < minLimit || initialLimit > maxLimit) {
    throw wrong("initialLimit", initialLimit, `from ${minLimit} to ${maxLimit}`)
  }
  if (queue !== undefined && !(Number.isSafeInteger(queue) && queue >= 0)) {
    throw wrong("queue", queue, "a whole number from 0")
  }
  if (!(tolerance >= 1 && tolerance < Number.POSITIVE_INFINITY)) throw wrong("tolerance", tolerance, "1 or more")
  const retryAfter = time(options.retryAfter ?? "1 second", "retryAfter")
  if (!Duration.isFinite(retryAfter)) throw wrong("retryAfter", "for ever", 'a time, as "1 second"')
  return {
    min: minLimit,
    max: maxLimit,
    initial: initialLimit,
    tolerance,
    queue,
    wait: Duration.toMillis(time(options.wait ?? "250 millis", "wait")),
    eventLoopDelay: Duration.toMillis(time(options.eventLoopDelay ?? "100 millis", "eventLoopDelay")),
    retryAfter
  }
}

const time = (input: Duration.Input, name: string): Duration.Duration => {
  const duration = Duration.fromInput(input)
  if (duration._tag === "Some" && Duration.isPositive(duration.value)) return duration.value
  throw wrong(name, JSON.stringify(input), 'more than zero, as "1 second"')
}

const wrong = (name: string, given: unknown, cure: string): TypeError =>
  new TypeError(`Overload.make: ${name} is ${String(given)}; write ${cure}`)
