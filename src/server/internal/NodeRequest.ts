/**
 * A request of Node's HTTP server as Effect's `HttpServerRequest`.
 *
 * ```ts
 * const request = new NodeRequest(incoming, outgoing, "/users/42?page=2")
 * ```
 *
 * What it adds to Effect's: the body limit is checked against Content-Length before reading and also counted on streams, content
 * codings are undone within it, everything is made when it is first asked for. Accepted by whatever takes Effect's own.
 *
 * @source aiohttp.web.BaseRequest
 */

import type * as Http from "node:http"
import type * as Tls from "node:tls"
import * as NodeMultipart from "@effect/platform-node/NodeMultipart"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Headers from "effect/http/Headers"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import { HttpServerError, RequestParseError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as Multipart from "effect/http/Multipart"
import * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Socket from "effect/socket/Socket"
import * as Cookie from "../../http/Cookie.ts"
import * as Exchange from "../../internal/exchange/exchange.ts"
import type { Target } from "../../internal/routing/compile.ts"
import * as NodeExchange from "./exchange/NodeExchange.ts"
import { isAwaited } from "./limits/Arrival.ts"
import { announced, RequestBody } from "./RequestBody.ts"
import * as RequestHeaders from "./requestHeaders.ts"
import * as UpgradedSocket from "./webSocket/UpgradedSocket.ts"

/** What `modify` changes. */
type Changes = Parameters<HttpServerRequest.HttpServerRequest["modify"]>[0]

/** The request; `target` is what answers it. */
export class NodeRequest extends Inspectable.Class implements HttpServerRequest.HttpServerRequest {
  declare readonly [HttpServerRequest.TypeId]: typeof HttpServerRequest.TypeId
  declare readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId
  readonly source: Http.IncomingMessage
  readonly response: Http.ServerResponse
  readonly url: string
  target: Target
  /** The bytes behind the head, when the connection is this request's to take over. */
  head: Uint8Array | undefined
  /** The milliseconds since 1970 when its handler began to wait; 0 as long as it does not. */
  since: number
  private readonly changes: Changes | undefined
  private bodyCache: RequestBody | undefined
  private headersCache: Headers.Headers | undefined
  private cookiesCache: Readonly<Record<string, string>> | undefined

  constructor(
    source: Http.IncomingMessage,
    response: Http.ServerResponse,
    url: string,
    target: Target,
    changes?: Changes,
    body?: RequestBody
  ) {
    super()
    this.source = source
    this.response = response
    this.url = url
    this.target = target
    this.head = undefined
    this.since = 0
    this.changes = changes
    this.bodyCache = body
    this.headersCache = changes?.headers
    this.cookiesCache = undefined
  }

  get method(): string {
    return this.source.method as string
  }

  get originalUrl(): string {
    const { host } = this.headers
    const url = this.source.url ?? ""
    return url[0] !== "/" || host === undefined ? url : `${this.scheme}://${host}${url}`
  }

  private get scheme(): "http" | "https" {
    return (this.source.socket as Tls.TLSSocket).encrypted ? "https" : "http"
  }

  get protocol(): "http" | "https" | undefined {
    return this.changes?.protocol
  }

  get headers(): Headers.Headers {
    const { headersCache, source } = this
    if (headersCache !== undefined) return headersCache
    const isDecoded = source.headers["content-encoding"] !== undefined && this.body.decodes
    this.headersCache = RequestHeaders.read(source, isDecoded)
    return this.headersCache
  }

  get cookies(): Readonly<Record<string, string>> {
    this.cookiesCache ??= Cookie.parse(this.headers.cookie)
    return this.cookiesCache
  }

  get remoteAddress(): Option.Option<string> {
    const changes = this.changes
    if (changes !== undefined && changes.remoteAddress !== undefined) return changes.remoteAddress
    return Option.fromNullishOr(this.source.socket.remoteAddress?.replace(/^::ffff:(?=[\d.]+$)/, ""))
  }

  get peerAddress(): Option.Option<string> {
    return this.changes?.peerAddress ?? this.remoteAddress
  }

  /** The body as it is read, shared by the requests that `modify` makes. */
  get body(): RequestBody {
    this.bodyCache ??= new RequestBody(this.source, this.response)
    return this.bodyCache
  }

  /** For who counts what is handled. */
  get bodyState(): "complete" | "awaited" | "here" {
    const { source } = this
    if (source.complete || source.destroyed || !announced(source)) return "complete"
    return isAwaited(source) ? "awaited" : "here"
  }

  private get fail() {
    return (reason: "Parse" | "BodyTooLarge", cause: unknown): HttpServerError =>
      new HttpServerError({ reason: new RequestParseError({ request: this, reason, cause }) })
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpServerError> {
    return Effect.mapEager(this.bytes, ({ buffer, byteLength, byteOffset }) =>
      byteLength === buffer.byteLength
        ? (buffer as ArrayBuffer)
        : (buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer)
    )
  }

  /** The whole body, read once. */
  get bytes(): Effect.Effect<Buffer, HttpServerError> {
    return this.body.bytes(this.fail)
  }

  get text(): Effect.Effect<string, HttpServerError> {
    return Effect.map(this.bytes, (bytes) => bytes.toString("utf8"))
  }

  get json(): Effect.Effect<Schema.Json, HttpServerError> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({
        try: () => (text === "" ? null : JSON.parse(text)),
        catch: (cause) => this.fail("Parse", cause)
      })
    )
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpServerError> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text.replace(/^\?/, "%3F"))))
  }

  get stream(): Stream.Stream<Uint8Array, HttpServerError> {
    return Stream.suspend(() => this.body.stream(this.fail))
  }

  get multipart(): Effect.Effect<
    Multipart.Persisted,
    Multipart.MultipartError,
    Scope.Scope | FileSystem.FileSystem | Path.Path
  > {
    return Effect.suspend(() => NodeMultipart.persisted(this.body.open(), this.source.headers))
  }

  get multipartStream(): Stream.Stream<Multipart.Part, Multipart.MultipartError> {
    return Stream.suspend(() => NodeMultipart.stream(this.body.open(), this.source.headers))
  }

  get upgrade(): Effect.Effect<Socket.Socket, HttpServerError> {
    return this.upgradeWith()
  }

  upgradeWith(options?: {
    readonly headers?: Headers.Input | undefined
  }): Effect.Effect<Socket.Socket, HttpServerError> {
    return UpgradedSocket.open(this, options?.headers)
  }

  /** Follows this request; without a clock only if it is followed already. */
  [Exchange.symbol](clock: Clock.Clock | undefined): Exchange.Exchange | undefined {
    const { changes, response, source, target } = this
    const known = NodeExchange.of(response)
    if (clock === undefined) return known
    const exchange = known ?? NodeExchange.follow(source, response, target.context, clock)
    // Who has changed the request may know better whom a proxy speaks for.
    if (changes?.remoteAddress !== undefined) exchange.remoteAddress = Option.getOrUndefined(changes.remoteAddress)
    return exchange
  }

  modify(changes: Changes): NodeRequest {
    const url = changes.url ?? this.url
    const all = { ...this.changes, ...changes }
    const changed = new NodeRequest(this.source, this.response, url, this.target, all, this.body)
    changed.head = this.head
    return changed
  }

  override toString(): string {
    return `NodeRequest(${this.method} ${UrlParams.redactUrl(this.url)})`
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "HttpServerRequest",
      method: this.method,
      url: UrlParams.redactUrl(this.originalUrl)
    })
  }
}

// On the prototype: every request would pay for own properties.
Object.assign(NodeRequest.prototype, {
  [HttpServerRequest.TypeId]: HttpServerRequest.TypeId,
  [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId
})
