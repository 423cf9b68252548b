/**
 * WebSockets: typed both ways, alive, and safe against slow peers.
 *
 * ```ts
 * const echo = WebSocket.make({ receive: Message, send: Message }, (socket) => Stream.runForEach(socket.messages, socket.send))
 * const app = App.make({ echo: Route.websocket("/echo", echo) })
 * ```
 *
 * The handler runs in a scope of its connection. It is interrupted when the peer has left, after it was given what had come. Its return
 * closes with 1000, a failure with the code that it names, a defect with 1011 and a line in the log, a stop of the server with 1001.
 * With 64 messages or 256 KiB that wait for a handler, nothing more is read; that the peer has left, the next ping finds out then.
 *
 * @source aiohttp.web.WebSocketResponse
 * @spec RFC 6455; RFC 7692
 */
import type * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type Engine, type Handler, RouteContext } from "./Handler.ts"
import * as HttpError from "./HttpError.ts"
import * as Exchange from "./internal/exchange/exchange.ts"
import { takeover } from "./internal/exchange/takeover.ts"
import { decodeParams } from "./internal/requests/decodeRequest.ts"
import { accounted } from "./internal/webSocket/account.ts"
import * as Codec from "./internal/webSocket/codec.ts"
import type { Closing } from "./internal/webSocket/failure.ts"
import * as Handshake from "./internal/webSocket/handshake.ts"
import { Line } from "./internal/webSocket/line.ts"
import { checked } from "./internal/webSocket/options.ts"
import { session } from "./internal/webSocket/session.ts"
import type { Socket } from "./internal/webSocket/socket.ts"
import { Acceptor, type Data } from "./internal/webSocket/wire.ts"

export { type Client, type ClientOptions, type Contract, client, type Status } from "./internal/webSocket/client.ts"
export type { Codec } from "./internal/webSocket/codec.ts"
export { json, plain } from "./internal/webSocket/codec.ts"
export { Close, CloseCode, type Closing, WebSocketError } from "./internal/webSocket/failure.ts"
export type { Refusal } from "./internal/webSocket/handshake.ts"
export type { Slow } from "./internal/webSocket/outbox.ts"
export type { CloseEvent, Socket } from "./internal/webSocket/socket.ts"
export type { Data } from "./internal/webSocket/wire.ts"

/** How an endpoint treats its connections. */
export interface Options<in Message = unknown> {
  /** The subprotocols that are spoken; the client's order decides among them. */
  readonly protocols?: ReadonlyArray<string>
  /** The pages that may connect: those of the same origin unless said, a list of origins, or any. Others are 403. */
  readonly origins?: ReadonlyArray<string> | "any" | ((origin: string) => boolean)
  /** Whether permessage-deflate is offered; true. */
  readonly compress?: boolean
  /** The largest message, decompressed; 4 MiB. A larger one closes with 1009. */
  readonly maxMessage?: ByteSize.Input
  /**
   * A ping goes out after so long a silence, and after half of it more the connection is broken off; 30 seconds. A peer that goes on
   * taking what waits for it is alive.
   */
  readonly heartbeat?: Duration.Input | false
  /** The longest time between messages while the handler waits for one; none. Then "timeout" (3008). */
  readonly receiveTimeout?: Duration.Input
  /** How long the peer may take to close, or to take more of what waits, and a handler to end when the peer has left; 10 seconds. */
  readonly closeTimeout?: Duration.Input
  /** How many bytes wait for a slow peer, where each message counts 128 more than it has; 1 MiB. Then `slow` decides. */
  readonly sendBuffer?: ByteSize.Input
  /**
   * What happens to a message that finds the buffer full:
   * - "suspend", which is usual: its sender waits
   * - "dropOldest": the oldest of the messages that wait is dropped; as many bytes as the buffer's limit wait
   * - "disconnect": the connection is closed with 1008; the sender fails
   * - "conflate": it takes the place of one with the same key that waits; else, or with no key, it is as with "dropOldest"
   */
  readonly slow?:
    | "suspend"
    | "dropOldest"
    | "disconnect"
    | { readonly conflate: (message: Message) => string | number | undefined }
}

/**
 * The schema of the parameters that the path must have; one that needs no services. Numbers, booleans and dates are read from their
 * texts, before the connection is opened.
 */
export type Params = Schema.ConstraintCodec<unknown, object>

/** What a handler is given beside its socket: the parameters of the path, decoded or as they are. */
export interface Input<out A = { readonly [name: string]: string | undefined }> {
  readonly params: A
}

/** The options of an endpoint whose messages have schemas. */
export interface Typed<Receive, Send> extends Options<Send> {
  readonly receive: Codec.Message<Receive>
  readonly send: Codec.Message<Send>
  /** How what is encoded becomes a message: `WebSocket.json` (text) unless given, `WebSocket.plain`, or one of your own. */
  readonly codec?: Codec.Codec
}

/** An endpoint: a value to mount by `Route.websocket`, and to derive a client from. `Names` are what its path must have. */
export interface Endpoint<in out Receive, in out Send, out R, in Names = unknown> {
  readonly _tag: "WebSocket"
  readonly receive: Codec.Message<Receive>
  readonly send: Codec.Message<Send>
  readonly codec: Codec.Codec
  readonly options: Options<never>
  /** Answers a request that asks for it. */
  readonly upgrade: Handler<Handshake.Refusal, R | Engine>
  readonly "~takes": ((params: Names) => void) | undefined
}

/** Any endpoint, of a path with these parameters. */
export interface Any<out R = unknown, in Names = never> {
  readonly _tag: "WebSocket"
  readonly "~takes": ((params: Names) => void) | undefined
  readonly upgrade: Handler<Handshake.Refusal, R | Engine>
}

/**
 * Makes an endpoint whose messages are decoded and encoded by schemas. A message that is not what `receive` says is a typed failure of
 * the stream of messages; unhandled it closes with 1003, 1007 or 1008.
 *
 * @errors UpgradeRequired (426) no WebSocket asked for, BadRequest (400) a malformed handshake, or parameters that are not what `params`
 * says, Forbidden (403) a page of another origin
 * @source aiohttp.web.WebSocketResponse
 */
export const make: {
  <Receive, Send, const P extends Params, E extends Closing = never, R = never>(
    options: Typed<Receive, Send> & { readonly params: P },
    handler: (socket: Socket<Receive, Send>, input: Input<P["Type"]>) => Effect.Effect<unknown, E, R>
  ): Endpoint<Receive, Send, Exclude<R, Scope.Scope>, { readonly [K in keyof P["Encoded"]]: unknown }>
  <Receive, Send, E extends Closing = never, R = never>(
    options: Typed<Receive, Send> & { readonly params?: Elsewhere },
    handler: (socket: Socket<Receive, Send>, input: Input) => Effect.Effect<unknown, E, R>
  ): Endpoint<Receive, Send, Exclude<R, Scope.Scope>>
} = <Receive, Send>(
  { codec = Codec.json, params, receive, send, ...rest }: Typed<Receive, Send> & { readonly params?: Params },
  handler: Run<Receive, Send>
): never => endpoint({ codec, receive, send, options: rest }, params, Codec.compile(codec, receive, send), handler)

/** Makes an endpoint of messages as they are: text and bytes. */
export const raw: {
  <const P extends Params, E extends Closing = never, R = never>(
    options: Options<Data> & { readonly params: P },
    handler: (socket: Socket<Data, Data>, input: Input<P["Type"]>) => Effect.Effect<unknown, E, R>
  ): Endpoint<Data, Data, Exclude<R, Scope.Scope>, { readonly [K in keyof P["Encoded"]]: unknown }>
  <E extends Closing = never, R = never>(
    options: Options<Data> & { readonly params?: Elsewhere },
    handler: (socket: Socket<Data, Data>, input: Input) => Effect.Effect<unknown, E, R>
  ): Endpoint<Data, Data, Exclude<R, Scope.Scope>>
} = ({ params, ...options }: Options<Data> & { readonly params?: Params }, handler: Run<Data, Data>): never =>
  endpoint({ receive: message, send: message, codec: Codec.plain, options }, params, Codec.asItIs, handler)

type Run<Receive, Send> = (
  socket: Socket<Receive, Send>,
  input: Input<never>
) => Effect.Effect<unknown, Closing, unknown>

const message: Codec.Message<Data> = Schema.Union([Schema.String, Schema.Uint8Array])

// The compiler tells of the last overload only, which is the common one. Of what is wrong in the other it says this.
type Elsewhere = Params & "What is wrong is this schema, another option, or the handler"

const endpoint = <Receive, Send>(
  parts: Pick<Endpoint<Receive, Send, unknown>, "codec" | "options" | "receive" | "send">,
  schema: Params | undefined,
  compiled: Codec.Compiled<Receive, Send>,
  handler: Run<Receive, Send>
): never => {
  const { allows, compress, maxMessage, protocols, settings } = checked(parts.options)
  const decoded = schema === undefined ? Effect.map(RouteContext, (route) => route.params) : decodeParams(schema)
  const upgrade = Effect.gen(function* () {
    const request = yield* HttpServerRequest
    const agreed = Handshake.agree(request, protocols, allows(request))
    if (HttpError.isHttpError(agreed)) return yield* Effect.fail(agreed)
    // What the overloads say that the handler takes.
    const input = { params: (yield* decoded) as never }
    const acceptor = yield* Acceptor
    if (acceptor === undefined) return yield* Effect.die(new Error("This engine has no WebSockets: use Server"))
    const context = yield* Effect.context<unknown>()
    return takeover(
      (connection) => {
        const { offer, protocol } = agreed
        const wire = acceptor.accept(connection, { protocol, offer: compress ? offer : undefined, maxMessage })
        if (wire === undefined) return Effect.void
        const annotations = Context.get(context, References.CurrentLogAnnotations)
        const own = Context.add(context, References.CurrentLogAnnotations, {
          ...annotations,
          "http.method": "GET",
          "http.path": request.url.split("?")[0]
        })
        // In place of the fiber's own, which it has all of: a copy of both would be kept for as long as the connection.
        const line = new Line(wire, settings)
        const note = (fields: Readonly<Record<string, unknown>>) => {
          connection.note(fields)
          if (line.died !== undefined) Exchange.peek(request)?.broke("defect", undefined)
        }
        const running = session(line, compiled, settings, (socket) => handler(socket, input))
        return Effect.updateContext(accounted(line, own, note, running), () => own)
      },
      { protocol: "websocket", watches: true }
    )
  })
  return {
    _tag: "WebSocket",
    ...parts,
    "~takes": undefined,
    upgrade
  } satisfies Endpoint<Receive, Send, unknown> as never
}

/**
 * Whether the request asks for a WebSocket, so that one URL can serve a page and a socket.
 *
 * @source aiohttp.web.WebSocketResponse.can_prepare
 */
export const accepts: Effect.Effect<boolean, never, HttpServerRequest> = Effect.map(
  HttpServerRequest,
  Handshake.isAsking
)

/** The handler of an endpoint, and of the requests that ask for no WebSocket. */
export const orElse = <R, E2 = never, R2 = never>(
  { upgrade }: Any<R>,
  otherwise: Handler<E2, R2> | undefined
): Handler<Handshake.Refusal | E2, R | R2 | Engine> =>
  otherwise === undefined
    ? upgrade
    : Effect.flatMap(accepts, (isAsking) => (isAsking ? upgrade : otherwise) as Handler<never, R | R2 | Engine>)
