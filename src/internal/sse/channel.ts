/**
 * Channels: what is published is sent to every client, and kept for a while for those that come again.
 *
 * ```ts
 * const channel = yield* Sse.channel({ schema: Story, replay: 1000 })
 * const id = yield* channel.publish(story)
 * const events = yield* channel.subscribe
 * ```
 *
 * @spec WHATWG HTML §9.2.4 (the Last-Event-ID header)
 */
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { Redis, RedisError } from "effect/persistence/Redis"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as HttpError from "../../HttpError.ts"
import { notShared } from "../lifecycle/neighbours.ts"
import { encoder, type Values } from "./encode.ts"
import type { Event } from "./event.ts"
import { Log, read, type Slow } from "./log.ts"
import { mirror, origin } from "./redis.ts"

/** A channel of values: in memory, or shared by processes through Redis. */
export interface Channel<in A> {
  /** Sends a value to every client, and gives the id of its event. A value that does not encode is a defect. */
  readonly publish: (value: A) => Effect.Effect<string, HttpError.ServiceUnavailable>
  /**
   * The events for the client of the request: from its Last-Event-ID on, or from now on when it comes for the first time. None is lost
   * and none comes twice. When there is a gap (its id is not known or not kept any more, or it was too slow), it gets an event
   * named "reset", without data, and then all that is kept.
   */
  readonly subscribe: Effect.Effect<Stream.Stream<Event, HttpError.ServiceUnavailable>, never, HttpServerRequest>
  /** The same from an id that came another way. */
  readonly since: (lastEventId: string | undefined) => Stream.Stream<Event, HttpError.ServiceUnavailable>
}

/** What a channel is of, and what it keeps. */
export interface ChannelOptions<in out A> extends Values<A> {
  /** How many events are kept, for clients that come again and for those that are slow; 1000. */
  readonly replay?: number
  /**
   * What happens to a client that is more than `replay` events behind: "dropOldest" (unless given) lets it read on at the oldest
   * that is kept, after a "reset"; "disconnect" cuts its connection. Nobody ever waits for it.
   */
  readonly slow?: Slow
}

/**
 * Makes a channel in the memory of this process. When the scope closes, the streams of its clients end.
 *
 * ```ts
 * class News extends Context.Service<News, Sse.Channel<Story>>()("app/News") {
 *   static readonly layer = Layer.effect(News, Sse.channel({ schema: Story }))
 * }
 * ```
 */
export const channel = <A>(options: ChannelOptions<A>): Effect.Effect<Channel<A>, never, Scope.Scope> => {
  const replay = parseReplay(options)
  const encode = encoder(options)
  return Effect.gen(function* () {
    // Ids of another process, or of this one before it was started again, are not known.
    yield* notShared("Sse.channel is in memory", "take Sse.channelRedis")
    const epoch = (yield* Random.nextIntBetween(0, 2 ** 32)).toString(36)
    const log = yield* makeLog(replay, `${epoch}-0`)
    let count = 0
    return make(log, options, Effect.void, (value: A) =>
      Effect.map(encode(value, {}), (encoded) => {
        const id = `${epoch}-${++count}`
        log.append(encoded.withId(id))
        return id
      })
    )
  })
}

/**
 * Makes a channel in the Redis stream at `key`, which every process that gives this key shares. Where Redis does not answer, `publish`
 * is a ServiceUnavailable (503); clients that listen wait until it is back, and miss nothing that was published.
 */
export const channelRedis = <A>(
  options: ChannelOptions<A> & { readonly key: string }
): Effect.Effect<Channel<A>, RedisError, Redis | Scope.Scope> => {
  const replay = parseReplay(options)
  const encode = encoder(options)
  return Effect.gen(function* () {
    const log = yield* makeLog(replay, origin)
    const { catchUp, publish } = yield* mirror(log, options.key)
    return make(log, options, Effect.mapError(catchUp, unavailable), (value: A) =>
      Effect.flatMap(encode(value, {}), ({ data = "", event }) => Effect.mapError(publish(data, event), unavailable))
    )
  })
}

const parseReplay = ({ replay = 1000 }: { readonly replay?: number }): number => {
  if (Number.isSafeInteger(replay) && replay > 0) return replay
  throw new TypeError(`Sse.channel: replay is a number of events, 1 or more, and not ${replay}`)
}

const makeLog = (replay: number, before: string): Effect.Effect<Log, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Log(replay, before)),
    (log) => Effect.sync(() => log.close())
  )

const make = <A>(
  log: Log,
  { slow = "dropOldest" }: ChannelOptions<A>,
  catchUp: Effect.Effect<void, HttpError.ServiceUnavailable>,
  publish: Channel<A>["publish"]
): Channel<A> => {
  const since: Channel<A>["since"] = (id) => {
    const events = read(log, id, slow)
    // Another process may have given it what is not here yet.
    const isAhead = () => id !== undefined && log.indexAfter(id) === undefined
    return Stream.suspend(() => (isAhead() ? Stream.unwrap(Effect.as(catchUp, events)) : events))
  }
  return {
    publish: (value) => Effect.suspend(() => publish(value)),
    since,
    subscribe: Effect.map(lastEventId, since)
  }
}

const unavailable = (cause: RedisError): HttpError.ServiceUnavailable => new HttpError.ServiceUnavailable({ cause })

/** The id of the last event that the client has seen; undefined when it comes for the first time. */
export const lastEventId: Effect.Effect<string | undefined, never, HttpServerRequest> = Effect.map(
  HttpServerRequest,
  ({ headers }) => {
    const sent = headers["last-event-id"]
    // Some engines decode it; Node gives its bytes as characters, and they are UTF-8 (§9.2.4).
    if (sent === undefined || sent === "" || /[^\0-\xff]/.test(sent)) return sent || undefined
    return new TextDecoder().decode(Uint8Array.from(sent, (character) => character.charCodeAt(0)))
  }
)
