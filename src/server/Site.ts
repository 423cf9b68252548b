/**
 * Where a server listens.
 *
 * ```ts
 * Server.layer(app, { sites: [Site.tcp({ port: 8080 }), Site.tcp({ host: "127.0.0.1", port: 9000 })] })
 * ```
 *
 * @source aiohttp.web.TCPSite
 */

import type * as Http from "node:http"
import type * as Net from "node:net"
import * as Effect from "effect/Effect"
import { ServeError } from "effect/http/HttpServerError"

/** A TCP address to listen on. */
export interface Tcp {
  readonly _tag: "Tcp"
  readonly host: string | undefined
  readonly port: number
  readonly backlog: number
  readonly reusePort: boolean
  readonly ipv6Only: boolean
}

/** A place to listen. */
export type Site = Tcp

/** What may be said of a TCP site. */
export interface TcpOptions {
  /** A name or an address; all interfaces, IPv4 and IPv6, unless given. */
  readonly host?: string
  /** 8080 unless given; 0 takes a free one. */
  readonly port?: number
  /** How many connections may wait to be accepted; 511 unless given, less where the system says so. */
  readonly backlog?: number
  /** Lets several processes listen on the same port. */
  readonly reusePort?: boolean
  /** Keeps "::" from taking IPv4 too. */
  readonly ipv6Only?: boolean
}

/** A TCP site. Throws a TypeError for a port that is none. */
export const tcp = (options: TcpOptions = {}): Tcp => {
  const { backlog = 511, host, ipv6Only = false, port = 8080, reusePort = false } = options
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new TypeError(`Site.tcp: ${port} is no port; use 0 to 65535, 0 for a free one`)
  }
  return { _tag: "Tcp", host, port, backlog, reusePort, ipv6Only }
}

/** The address a site is bound to. */
export interface Address {
  readonly host: string
  readonly port: number
  /** Where a client on this machine reaches it: "http://127.0.0.1:8080". */
  readonly url: string
}

const cures: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use; stop what listens there, or give another `port` (0 takes a free one)",
  EACCES: "this port is not allowed; give one above 1023, or the right to bind it",
  EADDRNOTAVAIL: "this machine has no such address; give another `host`",
  ENOTFOUND: "the name has no address; give another `host`"
}

/** Starts to listen and gives the bound address. Fails with ServeError when the address is taken or not allowed. */
export const listen = (server: Http.Server | Net.Server, site: Site): Effect.Effect<Address, ServeError> =>
  Effect.callback((resume) => {
    const onError = (cause: NodeJS.ErrnoException) => {
      const error = new ServeError({ cause })
      const why = cause.code === undefined ? undefined : cures[cause.code]
      error.message = `Cannot listen on ${site.host ?? "*"}:${site.port}: ${why ?? cause.message}`
      resume(Effect.fail(error))
    }
    server.once("error", onError)
    const { backlog, host, ipv6Only, port, reusePort } = site
    server.listen({ port, backlog, ipv6Only, reusePort, ...(host === undefined ? undefined : { host }) }, () => {
      server.off("error", onError)
      resume(Effect.succeed(addressOf(server.address() as Net.AddressInfo)))
    })
  })

const addressOf = ({ address, family, port }: Net.AddressInfo): Address => {
  const any = address === "0.0.0.0" || address === "::"
  const name = any ? (address === "::" ? "localhost" : "127.0.0.1") : family === "IPv6" ? `[${address}]` : address
  return { host: address, port, url: `http://${name}:${port}` }
}
