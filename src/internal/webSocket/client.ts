/**
 * The client of an endpoint: its socket, mirrored, that connects again by itself. It runs in pages and on Node.
 *
 * ```ts
 * const client = yield* WebSocket.client(chat, "wss://app.example/chat")
 * yield* client.send({ text: "hello" })
 * yield* Stream.runForEach(client.messages, Console.log)
 * ```
 *
 * @source aiohttp.ClientSession.ws_connect; unlike it: typed, and it connects again
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { OnDrain } from "../lifecycle/draining.ts"
import { makeState, type State } from "./clientState.ts"
import { open } from "./clientWire.ts"
import * as Codec from "./codec.ts"
import { CloseCode, closed, WebSocketError } from "./failure.ts"
import { Line } from "./line.ts"
import { session } from "./session.ts"
import type { CloseEvent } from "./socket.ts"
import type { Wire } from "./wire.ts"

/** What a client has to know of an endpoint: the endpoint itself, or what both are made from. */
export interface Contract<in out Receive, in out Send> {
  /** What the server receives, and the client sends. */
  readonly receive: Codec.Message<Receive>
  /** What the server sends, and the client receives. */
  readonly send: Codec.Message<Send>
  readonly codec?: Codec.Codec
  readonly options?: { readonly protocols?: ReadonlyArray<string> }
}

/** How a client connects, and connects again. */
export interface ClientOptions {
  /** The subprotocols that are offered; those of the endpoint unless given. */
  readonly protocols?: ReadonlyArray<string>
  /** How long a connection may take to open; 10 seconds. */
  readonly openTimeout?: Duration.Input
  /** How long `send` may wait for a connection, and for room in its buffer of 1 MiB; 30 seconds. Then "timeout" (3008). */
  readonly sendTimeout?: Duration.Input
  /**
   * When it connects again; its input is what the last connection or attempt failed with. Without an end, from half a second to 15
   * seconds, each time shortened by chance, unless given. It begins anew after a connection that has lasted for 5 seconds.
   */
  readonly schedule?: Schedule.Schedule<unknown, WebSocketError>
  /** Whether it connects again after such an end; not after 1000, 3000 (unauthorized), 3003 (forbidden) and codes from 4000 on. */
  readonly reconnect?: (event: CloseEvent) => boolean
}

/** How a client is connected. */
export type Status =
  | { readonly _tag: "Open"; readonly protocol: string; readonly connections: number }
  /** It will connect again; `failure` is what the last connection or attempt ended with. */
  | { readonly _tag: "Waiting"; readonly failure: WebSocketError }
  | { readonly _tag: "Closed"; readonly event: CloseEvent }

/** A client. */
export interface Client<in out Received, in out Sent> {
  /**
   * What the server sends, over all connections, held in memory until it is taken; what it sends between two connections is lost. Ends
   * with the client: fails where the end was another than 1000, or a message was malformed.
   */
  readonly messages: Stream.Stream<Received, WebSocketError>
  /**
   * Sends a message; waits for a connection where there is none, for `sendTimeout`. What was handed to a connection that breaks may be
   * lost: it is sent at most once.
   */
  readonly send: (message: Sent) => Effect.Effect<void, WebSocketError>
  /** How it is connected now, and each change, the last of which is "Closed": to tell users, or to ask the server for what was missed. */
  readonly status: Stream.Stream<Status>
  /** Closes for good; the end of the scope does, too. */
  readonly close: (code?: number, reason?: string) => Effect.Effect<CloseEvent>
  /** Waits for the end for good. */
  readonly closed: Effect.Effect<CloseEvent>
}

/**
 * Connects to an endpoint, for as long as the scope is open. In a page the path is enough for a URL; an effect is run for each
 * connection, for tokens that grow old. On Node a connection with headers of its own needs a `Socket.WebSocketConstructor`.
 *
 * @errors WebSocketError "closed" (1006) when the first connection cannot be opened
 */
export const client = Effect.fnUntraced(function* <Receive, Send>(
  contract: Contract<Receive, Send>,
  url: string | URL | Effect.Effect<string | URL>,
  options: ClientOptions = {}
): Effect.fn.Return<Client<Send, Receive>, WebSocketError, Scope.Scope> {
  const { openTimeout = "10 seconds", protocols = contract.options?.protocols ?? [] } = options
  const address = Effect.isEffect(url) ? url : Effect.succeed(url)
  const connect = Effect.flatMap(address, (url) => open(url, protocols, openTimeout))
  const compiled = Codec.compile(contract.codec ?? Codec.json, contract.send, contract.receive)
  const first = yield* connect
  const state = yield* makeState<Send, Receive>(first)
  // A server that stops is not the end of the clients that it has itself.
  const serve = (wire: Wire) =>
    Effect.provideService(
      session(new Line(wire, settings), compiled, settings, state.serve),
      OnDrain,
      OnDrain.defaultValue()
    )
  const running = yield* Effect.forkScoped(keepOpen(first, connect, serve, state, options), { startImmediately: true })
  const close = (code: number = CloseCode.normal, reason = "") =>
    Effect.gen(function* () {
      const event = yield* state.leave(code, reason)
      yield* Fiber.interrupt(running)
      return yield* state.end(event, undefined)
    })
  yield* Effect.addFinalizer(() => close())
  const timeout = { duration: options.sendTimeout ?? "30 seconds", orElse: () => Effect.fail(late()) }
  return {
    messages: state.messages,
    send: (message) => Effect.timeoutOrElse(state.send(message), timeout),
    status: Stream.takeUntil(SubscriptionRef.changes(state.status), ({ _tag }) => _tag === "Closed"),
    close,
    closed: Deferred.await(state.over)
  }
})

const settings = {
  heartbeat: undefined,
  receiveTimeout: undefined,
  closeTimeout: Duration.seconds(10),
  limit: 1024 * 1024,
  slow: "suspend"
} as const

const late = () =>
  new WebSocketError({ reason: "timeout", code: CloseCode.timeout, text: "No message could be sent in time" })

// Keeps a connection open until there is to be none any more.
const keepOpen = Effect.fnUntraced(function* <Received, Sent>(
  first: Wire,
  connect: Effect.Effect<Wire, WebSocketError>,
  serve: (wire: Wire) => Effect.Effect<CloseEvent>,
  state: State<Received, Sent>,
  { reconnect = isWorthIt, schedule = backoff }: ClientOptions
) {
  let wire = first
  let step = yield* Schedule.toStepWithSleep(schedule)
  for (;;) {
    const opened = yield* Clock.currentTimeMillis
    const event = yield* serve(wire)
    if (state.malformed() !== undefined || !reconnect(event)) return yield* state.end(event, state.malformed())
    if ((yield* Clock.currentTimeMillis) - opened >= 5000) step = yield* Schedule.toStepWithSleep(schedule)
    let failure = closed(event.code, event.reason)
    for (;;) {
      yield* SubscriptionRef.set(state.status, { _tag: "Waiting", failure })
      const waited = yield* Effect.exit(step(failure))
      if (Exit.isFailure(waited)) return yield* state.end({ code: failure.code, reason: failure.text }, failure)
      const next = yield* Effect.result(connect)
      if (Result.isSuccess(next)) {
        wire = next.success
        break
      }
      failure = next.failure
    }
  }
})

const isWorthIt = ({ code }: CloseEvent): boolean =>
  code !== CloseCode.normal && code !== CloseCode.unauthorized && code !== CloseCode.forbidden && code < 4000

// Thousands of clients that lose one server shall not come back at the same time.
const backoff = Schedule.modifyDelay(
  Schedule.min([Schedule.exponential("500 millis"), Schedule.spaced("15 seconds")]),
  ({ duration }) => Effect.map(Random.next, (random) => Duration.times(duration, 0.25 + 0.75 * random))
)
