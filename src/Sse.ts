/**
 * Server-sent events: streams of events as responses, and channels that every client reads from where it was.
 *
 * ```ts
 * const ticks = Route.get("/ticks", Sse.response(Stream.map(Stream.tick("1 second"), () => "tick")))
 * const news = Effect.gen(function* () {
 *   const channel = yield* News // Sse.channel({ schema: Story })
 *   return Sse.response(yield* channel.subscribe, { retry: "3 seconds" })
 * })
 * ```
 *
 * An event stream is for as long as it has events and its client listens; then its finalizers run. While there are no events it sends
 * a comment every 15 seconds. The head goes out with the first event, or after 100 ms without one: what fails before is answered as
 * any failure, what fails later cuts the connection, and the client comes again. When the server begins to stop, the stream ends
 * at once with a last `retry:`. To tell a client not to come again, answer with 204.
 *
 * @source aiohttp_sse.sse_response, EventSourceResponse
 * @spec WHATWG HTML §9.2
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Base from "effect/http/HttpServerResponse"
import type * as Stream from "effect/Stream"
import type { Described } from "./internal/responses/describedResponse.ts"
import { body } from "./internal/sse/body.ts"
import { encoder, frames, type Values } from "./internal/sse/encode.ts"
import { type Event, event } from "./internal/sse/event.ts"

export { type Channel, type ChannelOptions, channel, channelRedis, lastEventId } from "./internal/sse/channel.ts"
export { type Event, event, type Fields } from "./internal/sse/event.ts"

/** What is sent beside the events. */
export interface Options {
  /** After how long without an event a comment is sent; 15 seconds. */
  readonly keepAlive?: Duration.Input
  /** How long clients wait before they come again: said at the beginning, and when the server stops, where it is 3 seconds unless given. */
  readonly retry?: Duration.Input
}

/** Events that are values: their data is JSON. */
export interface SchemaOptions<in out A> extends Options, Values<A> {
  /** The id of an event; none without it. */
  readonly id?: (value: A) => string | undefined
}

/**
 * A stream of events as `text/event-stream`. Texts are events with this data, and with a schema values are: named by their `_tag`,
 * unless `event` says otherwise. A value that does not encode is a defect. A client that does not read stops the stream: where it
 * must not, give it a buffer, as `Stream.buffer({ capacity: 16, strategy: "sliding" })`, or take a channel.
 *
 * Caches and proxies are told not to keep and not to compress it (`no-transform`), so `Compression` leaves it alone.
 *
 * @source aiohttp_sse.sse_response
 * @spec WHATWG HTML §9.2.5, §9.2.7
 */
export const response: {
  <E>(events: Stream.Stream<string | Event, E>, options?: Options): HttpServerResponse
  <A, E>(events: Stream.Stream<NoInfer<A> | Event, E>, options: SchemaOptions<A>): HttpServerResponse
} = <A>(events: Stream.Stream<A | Event, unknown>, options: Options | SchemaOptions<A> = {}): HttpServerResponse => {
  const bytes = frames(events, "schema" in options ? encodeWith(options) : undefined)
  return Base.stream(body(bytes, parse(options)), { contentType, headers })
}

/** Streams of values as event streams, for the `success` of a described route; its handler returns the stream. */
export const schema = <A>(
  schema: SchemaOptions<A>["schema"],
  options?: Omit<SchemaOptions<A>, "schema">
): Described<Stream.Stream<A | Event, unknown>> => ({
  _tag: "Described",
  schema,
  status: 200,
  contentType,
  encode: (events) => Effect.succeed(response(events, { ...options, schema }))
})

const encodeWith = <A>(options: SchemaOptions<A>): ((value: A) => Effect.Effect<Event>) => {
  const encode = encoder(options)
  return (value) => encode(value, { id: options.id?.(value) })
}

const contentType = "text/event-stream"

const headers = { "cache-control": "no-cache, no-transform", "x-accel-buffering": "no" }

const parse = ({ keepAlive = "15 seconds", retry }: Options) => {
  const every = Duration.fromInputUnsafe(keepAlive)
  if (!Duration.isGreaterThan(every, Duration.zero)) {
    throw new TypeError("Sse.response: keepAlive has to be longer than 0; Duration.infinity for never")
  }
  return {
    keepAlive: every,
    opening: event(undefined, { retry }).bytes,
    farewell: event(undefined, { retry: retry ?? "3 seconds" }).bytes
  }
}
