/**
 * The certificate by which a client says who it is, on a site with `clientCertificates`.
 *
 * ```ts
 * const whoami = Effect.map(ClientCertificate.ClientCertificate, ({ subject }) => Response.text(String(subject.CN)))
 * const app = App.make({ whoami: Route.get("/whoami", whoami) }).pipe(App.use(ClientCertificate.required))
 * Server.run(app, { sites: [Site.tls({ key, cert, ca: "clients-ca.pem", clientCertificates: "request" })] })
 * ```
 *
 * It is that of the connection itself: behind a proxy that ends TLS there is none.
 *
 * @source ssl.SSLObject.getpeercert, of aiohttp.web.BaseRequest.get_extra_info
 * @spec RFC 8446 §4.3.2; RFC 5280
 */
import type * as Tls from "node:tls"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpError from "../HttpError.ts"
import * as Middleware from "../Middleware.ts"

/** A distinguished name: values by types as CN, O, OU, C; several of one type as a list. */
export interface Name {
  readonly [type: string]: string | ReadonlyArray<string> | undefined
}

/** A certificate that a client has presented, with the proof that its key is there. */
export interface Certificate {
  readonly subject: Name
  readonly issuer: Name
  /** As OpenSSL lists them: "DNS:alice.example, URI:spiffe://example/alice". */
  readonly subjectAltName: string | undefined
  /** SHA-256 of the certificate: 32 bytes in hex, with colons. */
  readonly fingerprint: string
  /** In hex. */
  readonly serialNumber: string
  readonly validFrom: Date
  readonly validTo: Date
  /** The certificate in DER. */
  readonly raw: Uint8Array
  /** Whether an authority of the site's `ca` has issued it, and it is valid now. */
  readonly authorized: boolean
  /** Why not, as OpenSSL says it: "CERT_HAS_EXPIRED". */
  readonly reason: string | undefined
}

/** The certificate of the client, as the middleware provides it: it is authorized. */
export class ClientCertificate extends Context.Service<ClientCertificate, Certificate>()(
  "effect-web/ClientCertificate"
) {}

const known = new WeakMap<object, Certificate>()

/**
 * What the client has presented, authorized or not; undefined where it has presented none, without TLS, and on other engines. On a site
 * that says "request", anyone can make one up: look at `authorized`.
 */
export const presented: Effect.Effect<Certificate | undefined, never, HttpServerRequest> = Effect.map(
  HttpServerRequest,
  ({ source }) => {
    const socket = (source as { readonly socket?: Tls.TLSSocket }).socket
    if (socket?.encrypted !== true || typeof socket.getPeerCertificate !== "function") return undefined
    const found = known.get(socket) ?? read(socket)
    if (found !== undefined) known.set(socket, found)
    return found
  }
)

/** The certificate of the client, where it is authorized. */
export const current: Effect.Effect<Certificate | undefined, never, HttpServerRequest> = Effect.map(
  presented,
  (found) => (found?.authorized === true ? found : undefined)
)

/**
 * Provides the certificate of the client.
 *
 * @errors Forbidden (403) without one that is authorized
 */
export const required = Middleware.provide(
  ClientCertificate,
  Effect.flatMap(current, (found) =>
    found === undefined
      ? Effect.fail(new HttpError.Forbidden({ text: "A client certificate of a known authority is needed" }))
      : Effect.succeed(found)
  ),
  { errors: [HttpError.Forbidden] }
)

const read = (socket: Tls.TLSSocket): Certificate | undefined => {
  const found = socket.getPeerCertificate()
  // Node gives an empty object where there is none.
  if (found?.raw === undefined) return undefined
  return {
    subject: nameOf(found.subject),
    issuer: nameOf(found.issuer),
    subjectAltName: found.subjectaltname,
    fingerprint: found.fingerprint256,
    serialNumber: found.serialNumber,
    validFrom: new Date(found.valid_from),
    validTo: new Date(found.valid_to),
    raw: found.raw,
    authorized: socket.authorized,
    reason: socket.authorized ? undefined : String(socket.authorizationError)
  }
}

const nameOf = (name: object): Name => Object.assign(Object.create(null), name)
