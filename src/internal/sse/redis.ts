/**
 * The last events of a channel in a Redis stream, and a copy of them in each process that has clients.
 *
 * ```ts
 * const { catchUp, publish } = yield* mirror(log, "news")
 * ```
 *
 * Events are added by XADD with MAXLEN, in one step with a PUBLISH that wakes the copies; these read on by XRANGE from where they
 * are, so that a message that is lost delays and loses nothing. Ids are those of Redis, which grow by time.
 *
 * @spec https://redis.io/docs/latest/develop/data-types/streams/
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redis from "effect/persistence/Redis"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { type Event, event } from "./event.ts"
import type { Log } from "./log.ts"

/** What a channel needs of its copy. */
export interface Mirror {
  /** Adds an event, and gives its id. */
  readonly publish: (data: string, name: string | undefined) => Effect.Effect<string, Redis.RedisError>
  /** Reads what the copy does not have yet. */
  readonly catchUp: Effect.Effect<void, Redis.RedisError>
}

/** Before the first event that was ever added. */
export const origin = "0-0"

// One more than the copies keep: with it they know what was before their first.
const add = Redis.script((key: string, length: number, data: string, name: string) => [key, length, data, name], {
  numberOfKeys: 1,
  lua: `local id = redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[1], '*', 'data', ARGV[2], 'event', ARGV[3])
redis.call('PUBLISH', KEYS[1], id)
return id`
}).withReturnType<string>()

type Reply = ReadonlyArray<readonly [id: string, fields: ReadonlyArray<string>]>

/** Fills the log and follows the stream for as long as the scope is open. */
export const mirror = Effect.fnUntraced(function* (
  log: Log,
  key: string
): Effect.fn.Return<Mirror, Redis.RedisError, Redis.Redis | Scope.Scope> {
  const redis = yield* Redis.Redis
  const one = yield* Semaphore.make(1)
  const catchUp = one.withPermits(1)(
    Effect.map(
      Effect.suspend(() => redis.send<Reply>("XRANGE", key, log.last, "+")),
      (reply) => take(log, reply)
    )
  )
  yield* catchUp
  const following = Effect.gen(function* () {
    const messages = yield* redis.subscribe(key)
    yield* catchUp
    // A message that was lost while the connection was made anew is made up for by looking now and then.
    const taken = Effect.timeoutOption(Queue.takeAll(messages), Duration.seconds(5))
    const isKnown = (id: string | undefined) => id !== undefined && log.indexAfter(id) !== undefined
    return yield* Effect.forever(
      Effect.flatMap(taken, (some) => (isKnown(Option.getOrUndefined(some)?.at(-1)?.message) ? Effect.void : catchUp))
    )
  })
  yield* Effect.scoped(following).pipe(
    Effect.tapError((error) => Effect.logWarning(`The events of "${key}" cannot be followed`, error)),
    Effect.retry(Schedule.spaced(Duration.seconds(1))),
    Effect.forkScoped
  )
  return {
    catchUp,
    // Who publishes has it here at once, whatever becomes of the message.
    publish: (data, name) =>
      Effect.tap(redis.eval(add)(key, log.capacity + 1, data, name ?? ""), () => Effect.ignore(catchUp))
  }
})

// The reply begins with the last that is known, or else there is a gap.
const take = (log: Log, reply: Reply): void => {
  const [first, ...rest] = reply
  if (first === undefined) return
  if (first[0] === log.last) {
    for (const entry of rest) log.append(toEvent(entry))
  } else if (reply.length > log.capacity) {
    log.replace(first[0], rest.map(toEvent))
  } else if (log.last === origin) {
    for (const entry of reply) log.append(toEvent(entry))
  } else {
    log.replace(origin, reply.map(toEvent))
  }
}

const toEvent = ([id, [, data = "", , name = ""]]: Reply[number]): Event =>
  event(data, { id, event: /[\r\n]/.test(name) ? undefined : name })
