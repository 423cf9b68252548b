/**
 * What a session is between requests: its state, and the text that a store keeps of it.
 *
 * ```ts
 * const codec = compile(definition)
 * codec.decode(codec.encode(codec.fresh(now)))
 * ```
 *
 * The text is JSON with the version of its data; that of an older version goes through the migrations when it is read.
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { frozen } from "./frozen.ts"

/** A session, decoded. Times are milliseconds since 1970. */
export interface State {
  readonly data: unknown
  /** Who it is, in an object of its own; undefined for who has not logged in. */
  readonly identity: { readonly value: unknown } | undefined
  /** For the next request that asks. */
  readonly flash: Readonly<Record<string, unknown>>
  /** When it began, or its identity did. */
  readonly created: number
  /** When it was last saved. */
  readonly touched: number
  /** Whether it is to outlive the browser. */
  readonly remember: boolean
}

type Fields = { readonly [name: PropertyKey]: Schema.ConstraintCodec<unknown, unknown> }

/** A step from one version of the data to the next. */
export interface Step {
  readonly fields: Fields
  readonly to: (old: never) => unknown
}

/** What a session is made of. */
export interface Definition {
  readonly fields: Fields
  readonly empty: unknown
  readonly identity?: Schema.ConstraintCodec<unknown, unknown>
  readonly flash?: Fields
  readonly version?: number
  readonly migrations?: ReadonlyArray<Step>
}

/** Between states and texts. */
export interface Codec {
  /** Whether a login can be told from none. */
  readonly knowsIdentity: boolean
  readonly fresh: (now: number) => State
  /** Nothing is in it that is worth keeping. */
  readonly isEmpty: (state: State) => boolean
  readonly encode: (state: State) => string
  /** The state, or why there is none. */
  readonly decode: (text: string) => State | string
}

/** Compiles a definition. Throws a TypeError for versions that do not fit, and for an `empty` that is none of the fields. */
export const compile = (name: string, definition: Definition): Codec => {
  const { empty, fields, flash = {}, identity, migrations = [], version = migrations.length + 1 } = definition
  if (!Number.isInteger(version) || version <= migrations.length) {
    const least = migrations.length + 1
    throw new TypeError(`Session "${name}": with ${migrations.length} migrations its version is ${least} or more`)
  }
  const data = codecOf(Schema.Struct(fields))
  const messages = codecOf(Schema.Struct(optional(flash)))
  const ids = identity === undefined ? undefined : codecOf(identity)
  const steps = migrations.map(({ fields, to }) => ({ decode: codecOf(Schema.Struct(fields)).decode, to }))
  const first = version - steps.length
  const emptyText = JSON.stringify(initial(name, data, empty))
  const none = data.decode(JSON.parse(emptyText))
  const isShared = frozen(none)

  const read = (from: number, encoded: unknown): unknown => {
    if (from === version) return data.decode(encoded)
    const found = steps.slice(from - first)
    // A migration takes what the one before gives; only the first has something to decode.
    const [oldest] = found
    if (oldest === undefined || from < first || from > version) throw new Error("unknown version")
    const migrated = found.reduce((old, { to }) => to(old as never), oldest.decode(encoded))
    return data.decode(data.encode(migrated))
  }

  return {
    knowsIdentity: ids !== undefined,
    // What a handler does to the value must not reach another session.
    fresh: (now) => ({
      ...blank,
      data: isShared ? none : data.decode(JSON.parse(emptyText)),
      created: now,
      touched: now
    }),
    isEmpty: ({ data: value, flash, identity }) =>
      identity === undefined && Object.keys(flash).length === 0 && JSON.stringify(data.encode(value)) === emptyText,
    encode: ({ created, data: value, flash, identity, remember, touched }) =>
      JSON.stringify({
        v: version,
        c: created,
        t: touched,
        r: remember ? 1 : undefined,
        i: identity === undefined || ids === undefined ? undefined : ids.encode(identity.value),
        f: Object.keys(flash).length === 0 ? undefined : messages.encode(flash),
        d: data.encode(value)
      } satisfies Wire),
    decode: (text) => {
      try {
        const wire: unknown = JSON.parse(text)
        if (!isWire(wire)) return "It is no session"
        if (wire.i !== undefined && ids === undefined) return "Its identity is of another session"
        return {
          data: read(wire.v, wire.d),
          identity: wire.i === undefined || ids === undefined ? undefined : { value: ids.decode(wire.i) },
          flash: wire.f === undefined ? {} : (messages.decode(wire.f) as State["flash"]),
          created: wire.c,
          touched: wire.t,
          remember: wire.r === 1
        }
      } catch {
        // The message would have the data in it.
        return "Its data is not what any version has"
      }
    }
  }
}

const initial = (name: string, { encode }: ReturnType<typeof codecOf>, empty: unknown): unknown => {
  try {
    return encode(empty)
  } catch (cause) {
    throw new TypeError(`Session "${name}": "empty" is not what the fields say: ${(cause as Error).message}`)
  }
}

const blank = { identity: undefined, flash: {}, remember: false }

// The record, as JSON has it: version, created, touched, remember, identity, flash, data.
interface Wire {
  readonly v: number
  readonly c: number
  readonly t: number
  readonly r: 1 | undefined
  readonly i: unknown
  readonly f: unknown
  readonly d: unknown
}

const isWire = (u: unknown): u is Wire =>
  Predicate.isObject(u) &&
  Number.isSafeInteger((u as Partial<Wire>).v) &&
  Number.isSafeInteger((u as Partial<Wire>).c) &&
  Number.isSafeInteger((u as Partial<Wire>).t)

const codecOf = (schema: Schema.ConstraintCodec<unknown, unknown>) => {
  const json = Schema.toCodecJson(schema) as typeof schema
  return { decode: Schema.decodeUnknownSync(json), encode: Schema.encodeUnknownSync(json) }
}

const optional = (fields: Fields) =>
  Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, Schema.optionalKey(schema)]))
