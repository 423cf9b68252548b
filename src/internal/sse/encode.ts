/**
 * Values as events: their data is JSON, their name is their tag.
 *
 * ```ts
 * const encode = encoder({ schema: Tick }) // { _tag: "Tick", n: 1 } -> event: Tick, data: {"_tag":"Tick","n":1}
 * ```
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Event, event, type Fields } from "./event.ts"

/** What values are, and how their events are named. */
export interface Values<in out A> {
  readonly schema: Schema.ConstraintCodec<A, unknown, unknown, never>
  /** The name of an event; the `_tag` of its value unless given. Clients listen to names; without one it is "message". */
  readonly event?: (value: A) => string | undefined
}

/** The event of a value. A value that does not encode is a defect. */
export type Encode<in A> = (value: A, fields: Fields) => Effect.Effect<Event>

/** Encodes values. */
export const encoder = <A>({ event: name = tagOf, schema }: Values<A>): Encode<A> => {
  const encode = Schema.encodeEffect(Schema.toCodecJson(schema))
  return (value, fields) =>
    Effect.mapEager(Effect.catchEager(encode(value), Effect.die), (json) =>
      event(JSON.stringify(json), { event: name(value), ...fields })
    )
}

const tagOf = (value: unknown): string | undefined =>
  Predicate.hasProperty(value, "_tag") && typeof value._tag === "string" ? value._tag : undefined

/** The events of a stream as bytes; what is no event yet is encoded, or is the data itself. */
export const frames = <A, E>(
  events: Stream.Stream<A | Event, E>,
  encode?: (value: A) => Effect.Effect<Event>
): Stream.Stream<Uint8Array, E> => {
  if (encode === undefined) {
    return Stream.map(events, (each) => (each instanceof Event ? each : event(each as string)).bytes)
  }
  return Stream.mapArrayEffect(events, (values) =>
    Effect.forEach(values, (value) =>
      value instanceof Event ? Exit.succeed(value.bytes) : Effect.mapEager(encode(value), (each) => each.bytes)
    )
  )
}
