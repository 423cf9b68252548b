/**
 * Makes a server listen.
 *
 * ```ts
 * const [place] = yield* Listener.places([Site.tcp({ port: 0 })])
 * const { url } = yield* Listener.listen(server, place)
 * ```
 *
 * That it cannot is said in one line with its cure.
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import * as Tls from "node:tls"
import * as Effect from "effect/Effect"
import type { ServeError } from "effect/http/HttpServerError"
import type * as Scope from "effect/Scope"
import type { Address, Descriptor, Site, Tcp, Unix } from "../../Site.ts"
import * as Certificates from "./Certificates.ts"
import type { Secure } from "./SecureServer.ts"
import * as Systemd from "./Systemd.ts"
import { failure } from "./startFailure.ts"
import * as UnixSocket from "./UnixSocket.ts"

/** One socket to listen on. */
export type Place = ((Omit<Tcp, "hosts"> & { readonly host: string | undefined }) | Unix | Descriptor) & {
  readonly secure: Secure | undefined
}

/** The sockets of sites, with the certificates of those that have TLS. */
export const places = (sites: ReadonlyArray<Site>): Effect.Effect<ReadonlyArray<Place>, ServeError, Scope.Scope> =>
  Effect.map(
    Effect.forEach(sites, (site) =>
      Effect.gen(function* () {
        const secure = site.tls && (yield* Certificates.load(site.tls))
        return (yield* placesOf(site)).map((place) => ({ ...place, secure }))
      })
    ),
    (all) => all.flat()
  )

const placesOf = (site: Site) => {
  if (site._tag === "Systemd") return Systemd.descriptors(site)
  if (site._tag !== "Tcp") return Effect.succeed([site])
  const { hosts, ...rest } = site
  return Effect.succeed(hosts.map((host) => ({ ...rest, host })))
}

/** How a place is called in a message. */
const nameOf = (place: Place): string =>
  place._tag === "Tcp"
    ? `${place.host ?? "*"}:${place.port}`
    : place._tag === "Unix"
      ? place.path
      : `descriptor ${place.fd}`

/** Starts to listen. Fails when the place is taken or not allowed. */
export const listen = (server: Http.Server, place: Place): Effect.Effect<Address, ServeError> => {
  const name = nameOf(place)
  switch (place._tag) {
    case "Tcp": {
      const { backlog, host, ipv6Only, port, reusePort } = place
      const options = { port, backlog, ipv6Only, reusePort, ...(host === undefined ? undefined : { host }) }
      return Effect.map(bound(server, options, name), () => addressOf(server, name))
    }
    case "Descriptor":
      return Effect.map(bound(server, { fd: place.fd }, name, noSocket), () => addressOf(server, name))
    case "Unix": {
      const { backlog, path } = place
      if (path[0] !== "@") return UnixSocket.listen(server, place, (path) => bound(server, { path, backlog }, name))
      const address = { url: `unix:${path}`, path, host: undefined, port: undefined }
      return Effect.as(bound(server, { path: `\0${path.slice(1)}`, backlog }, name), address)
    }
  }
}

const noSocket = "that is no listening socket; give the descriptor of one that the process is started with"

const bound = (
  server: Http.Server,
  options: Net.ListenOptions | { readonly fd: number },
  name: string,
  cure?: string
): Effect.Effect<void, ServeError> =>
  Effect.callback((resume) => {
    const onError = (cause: Error) => resume(Effect.fail(failure(name, cause, cure)))
    server.once("error", onError)
    server.listen(options, () => {
      server.off("error", onError)
      resume(Effect.void)
    })
  })

const addressOf = (server: Http.Server, name: string): Address => {
  const found = server.address()
  // Of an inherited unix socket nothing is known.
  if (found === null || typeof found === "string")
    return { url: `unix:(${name})`, host: undefined, port: undefined, path: undefined }
  const { address, family, port } = found
  const any = address === "0.0.0.0" || address === "::"
  const host = any ? (address === "::" ? "localhost" : "127.0.0.1") : family === "IPv6" ? `[${address}]` : address
  const scheme = server instanceof Tls.Server ? "https" : "http"
  return { url: `${scheme}://${host}:${port}`, host: address, port, path: undefined }
}
