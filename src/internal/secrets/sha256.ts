/**
 * The SHA-256 of bytes, as text: for keys that say nothing of what they stand for.
 *
 * ```ts
 * const key = yield* sha256(new TextEncoder().encode("secret"))
 * ```
 *
 * @spec FIPS 180-4; RFC 4648 §5
 */
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"

const encoder = new TextEncoder()

// No body of a request is in shared memory.
const bytesOf = (data: string | Uint8Array) =>
  (typeof data === "string" ? encoder.encode(data) : data) as Uint8Array<ArrayBuffer>

const portable = (data: string | Uint8Array): Effect.Effect<string> =>
  Effect.flatMap(WebCrypto.WebCrypto, ({ subtle }) =>
    Effect.map(
      Effect.promise(() => subtle.digest(Digest.sha256.name, bytesOf(data))),
      (bytes) => Base64Url.encode(new Uint8Array(bytes))
    )
  )

/** The way of the engine; WebCrypto, which all have, unless it gives another. */
export const Sha256 = Context.Reference<(data: string | Uint8Array) => Effect.Effect<string>>("effect-web/Sha256", {
  defaultValue: () => portable
})

/** In 43 characters of base64url. */
export const sha256 = (data: string | Uint8Array): Effect.Effect<string> =>
  Effect.withFiber((fiber) => fiber.getRef(Sha256)(data))
