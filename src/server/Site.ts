/**
 * Where a server listens: TCP addresses, unix sockets, descriptors that it inherits; each with TLS or without.
 *
 * ```ts
 * Server.layer(app, { sites: [Site.tcp({ port: 8080 }), Site.tls({ key: "key.pem", cert: "cert.pem" })] })
 * Server.layer(app, { sites: [Site.unix({ path: "/run/app/http.sock", mode: 0o660 })] })
 * Server.layer(app, { sites: [Site.systemd()] })
 * ```
 *
 * @source aiohttp.web.TCPSite, UnixSite, SockSite
 */
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"

/** A place to listen. */
export type Site = Tcp | Unix | Descriptor | Systemd

/** TCP addresses to listen on, each by a socket of its own. */
export interface Tcp {
  readonly _tag: "Tcp"
  /** No name is all interfaces. */
  readonly hosts: readonly [string | undefined, ...ReadonlyArray<string>]
  readonly port: number
  readonly backlog: number
  readonly reusePort: boolean
  readonly ipv6Only: boolean
  readonly h2c: boolean
  readonly tls: TlsOptions | undefined
}

/** A unix socket to listen on. */
export interface Unix {
  readonly _tag: "Unix"
  /** Of an abstract one the name, with "@" in front. */
  readonly path: string
  readonly mode: number | undefined
  readonly backlog: number
  readonly h2c: boolean
  readonly tls: TlsOptions | undefined
}

/** A listening socket that the process was started with. */
export interface Descriptor {
  readonly _tag: "Descriptor"
  readonly fd: number
  readonly h2c: boolean
  readonly tls: TlsOptions | undefined
}

/** The listening sockets that systemd hands over. */
export interface Systemd {
  readonly _tag: "Systemd"
  readonly name: string | undefined
  readonly h2c: boolean
  readonly tls: TlsOptions | undefined
}

/** PEM as text or bytes, or the path of a file of it. */
export type Pem = string | URL | Uint8Array

/** A key and the certificate that belongs to it. */
export interface KeyPair {
  /** The private key, in PEM. */
  readonly key: Pem | Redacted.Redacted<string>
  /** The certificate with those between it and its root, in PEM. */
  readonly cert: Pem
  /** For a key that is encrypted. */
  readonly passphrase?: string | Redacted.Redacted<string>
}

/** What may be said of TLS. */
export interface TlsOptions extends KeyPair {
  /** Speaks HTTP/2 with clients that offer it (ALPN), HTTP/1.1 with all others; true. */
  readonly http2?: boolean
  /** Certificates for names, as "shop.example" or "*.shop.example" (one label), in place of the one above. */
  readonly sni?: { readonly [host: string]: KeyPair }
  /** Asks clients for a certificate; "require" ends the handshake where none comes that `ca` has issued. */
  readonly clientCertificates?: "request" | "require"
  /** The authorities that issue the certificates of clients, in PEM. */
  readonly ca?: Pem
  /** The oldest version of TLS that is spoken; TLSv1.2 unless given. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3"
  /** The ciphers, as OpenSSL writes them; ECDHE with GCM or ChaCha20-Poly1305 unless given: encryption with authentication, and forward secrecy. */
  readonly ciphers?: string
  /** How long a handshake may take; 10 seconds. */
  readonly handshakeTimeout?: Duration.Input
  /** How often files are looked at for new certificates; every 5 seconds. `false` for never. */
  readonly reload?: Duration.Input | false
}

/** What may be said of a site without TLS. */
export interface PlainOptions {
  /**
   * Speaks HTTP/2 also without TLS, with clients that begin with its preface: proxies, gRPC, `curl --http2-prior-knowledge`; false.
   * `Upgrade: h2c` is ignored.
   */
  readonly h2c?: boolean
}

/** What may be said of a TCP site. */
export interface TcpOptions extends PlainOptions {
  /** A name or an address, or several; all interfaces, IPv4 and IPv6, unless given. */
  readonly host?: string | readonly [string, ...ReadonlyArray<string>]
  /** 8080 unless given, 8443 with TLS; 0 takes a free one. */
  readonly port?: number
  /** How many connections may wait to be accepted; 511 unless given, less where the system says so. */
  readonly backlog?: number
  /** Lets several processes listen on the same port. */
  readonly reusePort?: boolean
  /** Keeps "::" from taking IPv4 too. */
  readonly ipv6Only?: boolean
  /** Speaks HTTPS. */
  readonly tls?: TlsOptions
}

/** A TCP site. Throws a TypeError for a port that is none, and for options of TLS that do not go together. */
export const tcp = (options: TcpOptions = {}): Tcp => {
  const { backlog = 511, host, ipv6Only = false, reusePort = false } = options
  const { port = options.tls === undefined ? 8080 : 8443 } = options
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new TypeError(`Site.tcp: ${port} is no port; use 0 to 65535, 0 for a free one`)
  }
  if (Array.isArray(host) && host.length === 0)
    throw new TypeError("Site.tcp: no host; leave it out for all interfaces")
  const hosts = typeof host === "object" ? host : ([host] as const)
  return { _tag: "Tcp", hosts, port, backlog, reusePort, ipv6Only, ...protocols(options) }
}

/** A TCP site that speaks HTTPS, on port 8443 unless given. */
export const tls = (options: Omit<TcpOptions, "tls" | "h2c"> & TlsOptions): Tcp => tcp({ ...options, tls: options })

/** What may be said of a unix socket. */
export interface UnixOptions extends PlainOptions {
  /** A path of about 100 bytes at most. A name that begins with "@" is an abstract one of Linux: no file, and open to every user. */
  readonly path: string
  /** Who may connect, as of a file: 0o660 for the group too. By the process's umask unless given. */
  readonly mode?: number
  /** How many connections may wait to be accepted; 511 unless given. */
  readonly backlog?: number
  /** Speaks HTTPS. */
  readonly tls?: TlsOptions
}

/**
 * A unix socket. A file that was left behind, where nobody listens any more, gives way; any other is an error. The file is gone when
 * the server stops, unless another server has taken its place.
 *
 * @source aiohttp.web.UnixSite
 */
export const unix = (options: UnixOptions): Unix => {
  const { backlog = 511, mode } = options
  const path = options.path.replace(/^\0/, "@")
  if (path === "" || path === "@" || path.includes("\0"))
    throw new TypeError('Site.unix: that is no path; give one as "/run/app.sock"')
  if (mode !== undefined && !(Number.isInteger(mode) && mode >= 0 && mode <= 0o777))
    throw new TypeError(`Site.unix: ${mode} is no mode of a socket; give one as 0o660`)
  if (mode !== undefined && path[0] === "@")
    throw new TypeError('Site.unix: an abstract name has no mode; leave it out, or write "./@..." for a file')
  return { _tag: "Unix", path, mode, backlog, ...protocols(options) }
}

/**
 * A listening socket, TCP or unix, that the process was started with, by its descriptor. It is closed when the server stops.
 *
 * @source aiohttp.web.SockSite
 */
export const fd = (fd: number, options: PlainOptions & { readonly tls?: TlsOptions } = {}): Descriptor => {
  if (!Number.isInteger(fd) || fd < 0)
    throw new TypeError(`Site.fd: ${fd} is no descriptor; the first after the standard ones is 3`)
  return { _tag: "Descriptor", fd, ...protocols(options) }
}

/**
 * The sockets that systemd hands over (`LISTEN_FDS`): all, or those whose `FileDescriptorName` is `name`. It is an error when there is
 * none.
 *
 * @spec sd_listen_fds(3)
 */
export const systemd = (
  options: PlainOptions & { readonly name?: string; readonly tls?: TlsOptions } = {}
): Systemd => ({ _tag: "Systemd", name: options.name, ...protocols(options) })

/** The address a site is bound to. */
export interface Address {
  /** Where a client on this machine reaches it: "http://127.0.0.1:8080", "https://localhost:8443", "unix:/run/app.sock". */
  readonly url: string
  /** Of a TCP socket. */
  readonly host: string | undefined
  readonly port: number | undefined
  /** Of a unix socket; undefined too of an inherited one, which the system does not tell. */
  readonly path: string | undefined
}

const protocols = ({ h2c = false, tls }: PlainOptions & { readonly tls?: TlsOptions }) => {
  if (h2c && tls !== undefined)
    throw new TypeError("Site.tcp: h2c is HTTP/2 without TLS; with TLS it is spoken anyway, so leave h2c out")
  return { h2c, tls: checked(tls) }
}

// A mistake that is only seen when the first client comes is none to be left until then.
const checked = (tls: TlsOptions | undefined): TlsOptions | undefined => {
  if (tls === undefined) return undefined
  if (tls.clientCertificates !== undefined && tls.ca === undefined)
    throw new TypeError("Site.tls: clientCertificates needs `ca`, the authorities that issue them")
  if (tls.ca !== undefined && tls.clientCertificates === undefined)
    throw new TypeError('Site.tls: `ca` is for the certificates of clients; add clientCertificates: "require"')
  for (const [name, pair] of [["", tls] as const, ...Object.entries(tls.sni ?? {})]) {
    if (!pair.key || !pair.cert) throw new TypeError(`Site.tls: ${name} has no key or no cert; give both`)
    if (name !== "" && !/^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(name))
      throw new TypeError(`Site.tls: "${name}" is no name for sni; write "shop.example" or "*.shop.example"`)
  }
  return tls
}
