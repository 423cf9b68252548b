/**
 * Connections over TLS in the hands of a test.
 */
import * as Tls from "node:tls"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Server from "../../src/server/Server.ts"
import * as Wire from "../conformance/wire.ts"

/** A connection, and what the handshake has agreed on. */
export interface Secure extends Wire.Wire {
  readonly tls: Tls.TLSSocket
  /** The common name of the server's certificate. */
  readonly name: string
}

/** Connects to a server of 127.0.0.1, whoever has signed its certificate; or fails with the code of the error. */
export const connect = (
  { addresses }: Server.Server["Service"],
  options: Tls.ConnectionOptions = {}
): Effect.Effect<Secure, string, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Tls.TLSSocket, string>((resume) => {
      const port = addresses[0]?.port ?? 0
      const socket = Tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options })
      socket.once("secureConnect", () => resume(Effect.succeed(socket)))
      socket.once("error", ({ code }: NodeJS.ErrnoException) => resume(Effect.fail(String(code))))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  ).pipe(Effect.map((tls) => ({ ...Wire.over(tls), tls, name: String(tls.getPeerCertificate().subject?.CN) })))
