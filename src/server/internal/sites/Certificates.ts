/**
 * The certificates of a TLS site, by name, and anew when their files change.
 *
 * ```ts
 * const engine = yield* Engine.make(compiled, { secure: yield* Certificates.load(tls) })
 * ```
 *
 * Files are looked at rather than watched: that sees a rename, a link that turns elsewhere and a file of a network alike. New ones are
 * taken when they have stayed the same from one look to the next, and belong together; until then the old ones serve.
 *
 * @source aiohttp.web.run_app ssl_context
 * @spec RFC 6066 §3
 */
import * as Fs from "node:fs/promises"
import type * as Tls from "node:tls"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ServeError } from "effect/http/HttpServerError"
import type * as Scope from "effect/Scope"
import type { TlsOptions } from "../../Site.ts"
import * as KeyPairs from "./keyPairs.ts"
import type { Secure } from "./SecureServer.ts"
import { failure } from "./startFailure.ts"

/** Loads them, and again when their files change, as long as the scope lives. Fails when one is missing or does not fit, with its cure. */
export const load = Effect.fnUntraced(function* (tls: TlsOptions): Effect.fn.Return<Secure, ServeError, Scope.Scope> {
  const files = KeyPairs.files(tls)
  const seen = yield* stateOf(files)
  let current = yield* Effect.mapError(KeyPairs.load(tls), ({ cause, text }) => failure("TLS", cause, text))
  yield* warnOfExpiry(current)
  const servers: Array<Tls.Server> = []
  const options: Tls.TlsOptions = {
    ...current.context,
    requestCert: tls.clientCertificates !== undefined,
    rejectUnauthorized: tls.clientCertificates === "require",
    SNICallback: (name, callback) => callback(null, KeyPairs.find(current, name))
  }

  const take = Effect.gen(function* () {
    current = yield* KeyPairs.load(tls)
    for (const server of servers) server.setSecureContext(current.context)
    yield* Effect.logInfo("The certificates have changed and are loaded again")
    yield* warnOfExpiry(current)
  }).pipe(
    Effect.catch(({ text }) => Effect.logWarning(`The new certificates are not taken, the old ones stay: ${text}`))
  )
  const { handshakeTimeout = "10 seconds", http2 = true, reload = "5 seconds" } = tls
  if (reload !== false && files.length > 0) yield* Effect.forkScoped(follow(files, seen, reload, take))
  return {
    options,
    http2,
    handshakeTimeout: Math.ceil(Duration.toMillis(handshakeTimeout)),
    onServer: (server) => servers.push(server)
  }
})

/** Runs `take` when files have changed and then stayed the same from one look to the next. */
const follow = Effect.fnUntraced(function* (
  files: ReadonlyArray<string | URL>,
  seen: string,
  every: Duration.Input,
  take: Effect.Effect<void>
): Effect.fn.Return<never> {
  let [tried, last] = [seen, seen]
  for (;;) {
    yield* Effect.sleep(every)
    const now = yield* stateOf(files)
    if (now !== tried && now === last) {
      tried = now
      yield* take
    }
    last = now
  }
})

// What a look at files shows: it changes with them.
const stateOf = (files: ReadonlyArray<string | URL>): Effect.Effect<string> =>
  Effect.promise(() =>
    Promise.all(
      files.map((file) =>
        Fs.stat(file, { bigint: true }).then(
          ({ ino, mtimeNs, size }) => `${ino}:${mtimeNs}:${size}`,
          () => "none"
        )
      )
    ).then((all) => all.join())
  )

const warnOfExpiry = ({ certificates }: KeyPairs.Loaded): Effect.Effect<void> =>
  Effect.clockWith((clock) =>
    Effect.forEach(
      certificates.filter(({ validTo }) => validTo.getTime() < clock.currentTimeMillisUnsafe()),
      ({ name, validTo }) => Effect.logWarning(`The certificate ${name} has expired on ${validTo.toISOString()}`),
      { discard: true }
    )
  )
