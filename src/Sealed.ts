/**
 * Values of a schema as text that only who has the keys can make (signed), or can make and read (encrypted).
 *
 * ```ts
 * const keys = Sealed.keys("vB2f0Zb7Hq...") // or yield* Sealed.keysConfig("APP_KEYS")
 * const cart = Sealed.make({ schema: Cart, keys, purpose: "cart", maxAge: "1 day" })
 * const text = yield* cart.seal({ items: [1] }) // "e1.kM3x_a.…", for URLs and cookies as it is
 * const { items } = yield* cart.open(text)
 * ```
 *
 * A text opens for the purpose that it was sealed for, until it expires, while a key of the ring is its own. To rotate, put a new
 * secret in front; drop the old one when what it sealed has expired. One secret should encrypt at most 2^32 values per purpose.
 *
 * @source aiohttp_session.cookie_storage.EncryptedCookieStorage
 * @spec RFC 5869; NIST SP 800-38D; RFC 2104; RFC 4648 §5
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import { SourceError } from "effect/ConfigProvider"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import * as KeyRings from "./internal/secrets/keyRing.ts"
import * as SealedText from "./internal/secrets/sealedText.ts"
import * as Sealing from "./internal/secrets/sealing.ts"

export type { KeyRing } from "./internal/secrets/keyRing.ts"

/** What is sealed, with which keys, what for, for how long. */
export interface Options<A> {
  readonly schema: Schema.ConstraintCodec<A, unknown>
  readonly keys: KeyRings.KeyRing
  /** A name that no other use of the keys has: a text sealed for one purpose opens for no other. */
  readonly purpose: string
  /** How long after it was sealed a text opens; for ever unless given. The clock is that of who opens. */
  readonly maxAge?: Duration.Input
  /** Whether who gets the text can read it: `encrypt` (AES-256-GCM) unless given, `sign` (HMAC-SHA-256) leaves it readable, what is Redacted too. */
  readonly mode?: "encrypt" | "sign"
}

/** Seals and opens values. */
export interface Sealed<A> {
  /** The text is of letters, digits, `-`, `_` and `.`: 4/3 of the JSON and some 60 characters. A value that does not encode is a defect. */
  readonly seal: (value: A) => Effect.Effect<string>
  readonly open: (text: string) => Effect.Effect<A, SealedError>
}

/**
 * A text that does not open. `malformed`: not in the form of a sealed text; `forged`: not sealed by these keys for this purpose, or
 * changed since; `expired`; `invalid`: genuine, but not of the schema (any more). It has neither the text nor the value in it.
 */
export class SealedError extends Data.TaggedError("SealedError")<{
  readonly reason: "malformed" | "forged" | "expired" | "invalid"
}> {
  override get message(): string {
    return `The sealed text is ${this.reason}`
  }
}

/** A ring of secrets: the first seals, all open. A secret has at least 32 bytes, or it throws a TypeError that says how to make one. */
export const keys = (
  secret: Redacted.Redacted | string,
  ...older: ReadonlyArray<Redacted.Redacted | string>
): KeyRings.KeyRing =>
  KeyRings.make([secret, ...older].map((each) => (typeof each === "string" ? each : Redacted.value(each))))

/** A ring of the secrets in a variable of the configuration, separated by commas. What is wrong with them is a ConfigError. */
export const keysConfig = (name: string): Config.Config<KeyRings.KeyRing> =>
  Config.mapEffect(Config.Redacted(name), (text) =>
    Effect.try({
      try: () =>
        KeyRings.make(
          Redacted.value(text)
            .split(",")
            .map((each) => each.trim())
        ),
      catch: (error) => new Config.ConfigError(new SourceError({ message: `${name}: ${(error as TypeError).message}` }))
    })
  )

/** Makes a seal. Throws a TypeError without a purpose, and for a `maxAge` that is over at once. */
export const make = <A>(options: Options<A>): Sealed<A> => {
  const { keys, mode = "encrypt", purpose, schema } = options
  if (purpose === "") throw new TypeError(`A seal needs a purpose; name what is sealed, as in { purpose: "cart" }`)
  const maxAge = lifetime(options.maxAge ?? Duration.infinity)
  const derived = Sealing.deriver(KeyRings.secrets(keys), `effect-web/Sealed/1/${mode}/${purpose}`)
  const form = mode === "encrypt" ? SealedText.encrypted : SealedText.signed
  const json = Schema.toCodecJson(schema) as typeof schema
  const encode = SchemaParser.encodeUnknownEffect(json)
  const decode = SchemaParser.decodeUnknownEffect(json)
  return {
    seal: (value) =>
      Effect.withFiber((fiber) =>
        Effect.flatMapEager(derived(fiber), ([key]) =>
          Effect.flatMapEager(Effect.catchEager(encode(value), Exit.die), (encoded) =>
            form.seal(key as Sealing.Key, toPlain(encoded, now(fiber) + maxAge))
          )
        )
      ),
    open: (text) =>
      Effect.withFiber((fiber) => {
        const plain = Effect.flatMapEager(derived(fiber), (keys) => form.open(keys, text))
        return Effect.flatMapEager(plain, (plain) => {
          if (plain === undefined) return fail(SealedText.isShaped(text) ? "forged" : "malformed")
          const dot = plain.indexOf(".")
          if (dot > 0 && Number(plain.slice(0, dot)) <= now(fiber)) return fail("expired")
          return Effect.catchEager(decode(JSON.parse(plain.slice(dot + 1))), () => fail("invalid"))
        })
      })
  }
}

// When it expires in milliseconds, if ever, is inside what is sealed.
const toPlain = (encoded: unknown, expires: number): string =>
  `${Number.isFinite(expires) ? expires : ""}.${JSON.stringify(encoded)}`

const now = (fiber: Fiber.Fiber<unknown, unknown>): number => fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()

const fail = (reason: SealedError["reason"]) => Exit.fail(new SealedError({ reason }))

const lifetime = (input: Duration.Input): number => {
  const milliseconds = Math.floor(Duration.toMillis(input))
  if (milliseconds > 0) return milliseconds
  throw new TypeError(
    `A maxAge of ${Duration.format(Duration.fromInputUnsafe(input))} is over at once; leave it out for no end`
  )
}
