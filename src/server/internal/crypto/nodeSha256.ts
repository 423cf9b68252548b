/**
 * SHA-256 by Node itself, at once: WebCrypto takes fifty times as long for a few bytes.
 *
 * ```ts
 * const base = Context.make(Sha256, nodeSha256)
 * ```
 */
import * as Crypto from "node:crypto"
import * as Exit from "effect/Exit"

/** In 43 characters of base64url. */
export const nodeSha256 = (data: string | Uint8Array): Exit.Exit<string> =>
  Exit.succeed(Crypto.hash("sha256", data, "base64url"))
