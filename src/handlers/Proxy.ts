/**
 * A reverse proxy: a handler that answers with what another server answers.
 *
 * ```ts
 * const app = App.make({
 *   api: Route.mountHandler("/api", Proxy.make({ upstream: "http://127.0.0.1:9000" })), // sees the path below /api
 *   rest: Route.any("/{path:.*}", Proxy.make({ upstream: ["http://10.0.0.1:8080", "http://10.0.0.2:8080"] }))
 * })
 * ```
 *
 * Bodies stream both ways, as fast as the slower side, and have no limit but a declared one (`Route.bodyLimit`). Path, query, content
 * codings, cookies and redirects stay as they are; the fields of the connection and trailers do not. Where a request came from is said
 * in `Forwarded` and `X-Forwarded-*`, in place of what it says itself, unless its peer is trusted. WebSockets and other changes of
 * protocol are tunnelled, but for `h2c` and TLS, within which requests would pass by the routes of this server. When the client leaves,
 * the request to the upstream server is broken off; when that breaks off in the middle of an answer, so is the client's connection.
 *
 * Under `Server` it is undici that sends; a `NodeHttpClient.Dispatcher` among the services of the server is taken in place of its own:
 * for certificates, unix sockets, a limit of connections. Under other engines it is `fetch`, which knows no tunnels.
 *
 * @spec RFC 9110 §7.6, §7.8; RFC 7239; RFC 9112
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { HttpServerRequest, MaxBodySize } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import type { Handler } from "../Handler.ts"
import * as HttpError from "../HttpError.ts"
import * as ByteLimit from "../internal/byteLimit.ts"
import { attempts } from "../internal/proxy/attempts.ts"
import * as Checks from "../internal/proxy/checks.ts"
import { visits } from "../internal/proxy/fields.ts"
import { isCounted } from "../internal/proxy/request.ts"
import * as ProxyTimeouts from "../internal/proxy/timeouts.ts"
import { Transport } from "../internal/proxy/transport.ts"
import * as Upstreams from "../internal/proxy/upstreams.ts"
import { trustedPeers } from "../internal/requests/clientAddress.ts"
import * as Response from "../Response.ts"

/** Where to, and what changes on the way. */
export interface Options {
  /** The URL of the upstream server, or of several; a path in it stands before the path of each request. */
  readonly upstream: string | URL | ReadonlyArray<string | URL>
  /** Which of several is next: in turn, or the one with the fewest requests at work. In turn unless given. */
  readonly balance?: "round-robin" | "least-connections"
  /** When an upstream server that fails is left alone. Several have it as it is by default, a single one only when it is given. */
  readonly breaker?: Upstreams.Breaker
  /** Asks each upstream server for a path from time to time; one that fails gets no requests until it is well again. */
  readonly check?: Checks.Check
  readonly timeouts?: ProxyTimeouts.Options
  /** Changes the path, as it came, without the query; below a mount, without the prefix. */
  readonly rewrite?: (path: string) => string
  /** Whether the upstream server gets the client's `Host`; unless given it gets its own. */
  readonly preserveHost?: boolean
  /** The peers whose `Forwarded` and `X-Forwarded-*` are kept and added to: addresses and networks, as "10.0.0.0/8". None unless given. */
  readonly trust?: ReadonlyArray<string>
  /** The name of this proxy in `Via`; "effect-web" unless given. */
  readonly via?: string
}

/** What a proxy fails with. */
export type Failures =
  | HttpError.BadRequest
  | HttpError.ContentTooLarge
  | HttpError.BadGateway
  | HttpError.ServiceUnavailable
  | HttpError.GatewayTimeout
  | HttpError.LoopDetected

/**
 * Makes a proxy. A request is tried again, on another upstream server where there is one, as long as nobody has received it; and once
 * when the upstream server broke off before it answered, if the method is idempotent and there is no body. Throws a TypeError for
 * wrong options.
 *
 * @errors BadGateway (502) unreachable, broken off or no HTTP, GatewayTimeout (504) too slow, ServiceUnavailable (503) with Retry-After
 * when all upstream servers are left alone, BadRequest (400) "." and ".." as segments of the path, ContentTooLarge (413),
 * LoopDetected (508)
 */
export const make = (options: Options): Handler<Failures, HttpServerRequest | Scope.Scope> => {
  const { check, preserveHost = false, rewrite, timeouts = {}, trust = [], upstream, via = "effect-web" } = options
  if (!/^[\w!#$%&'*+.^`|~:[\]-]+$/.test(via)) throw new TypeError(`Proxy: via is "${via}"; give a name of one word`)
  const urls = typeof upstream === "string" || upstream instanceof URL ? [upstream] : upstream
  const upstreams = Upstreams.make(urls, options)
  const begin = check === undefined ? undefined : Checks.make(upstreams.all, check)
  const isTrusted = trustedPeers(trust)
  const proxy = { via, preserveHost, rewrite, isTrusted, upstreams, timeouts: ProxyTimeouts.read(timeouts) }
  return Effect.withFiber((fiber): ReturnType<typeof make> => {
    const request = Context.getUnsafe(fiber.context, HttpServerRequest)
    const transport = fiber.getRef(Transport)
    begin?.(transport)
    if (visits(request.headers.via, via) > maxVisits) return Exit.fail(new HttpError.LoopDetected())
    const last = lastRecipient(request)
    if (last !== undefined) return Exit.succeed(last)
    const limit = fiber.getRef(ByteLimit.Declared) ? fiber.getRef(MaxBodySize) : undefined
    return attempts(proxy, transport, request, limit)
  })
}

// Proxies of one name may well stand behind each other, but not so many.
const maxVisits = 8

// The request that may go no further is answered here, without what its sender might have wanted to keep (RFC 9110 §7.6.2, §9.3.8).
const lastRecipient = ({ headers, method, url }: HttpServerRequest): HttpServerResponse | undefined => {
  const { host, "max-forwards": left, via } = headers
  if (left === undefined || !isCounted(method) || !/^0+$/.test(left)) return undefined
  if (method === "OPTIONS") return Response.empty()
  const fields = Object.entries({ host, via, "max-forwards": left }).filter(([, value]) => value !== undefined)
  const lines = [`TRACE ${url} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`), "", ""]
  return Response.text(lines.join("\r\n"), { contentType: "message/http" })
}
