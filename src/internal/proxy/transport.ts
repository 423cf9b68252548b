/**
 * How a request gets to another server and its answer back, whatever carries it.
 *
 * ```ts
 * const transport = fiber.getRef(Transport)
 * const answer = yield* transport.send({ origin: "http://127.0.0.1:9000", method: "GET", path: "/", ... })
 * ```
 *
 * Under Node's engine it is undici itself; elsewhere Effect's `HttpClient`.
 *
 * @spec RFC 9110 §15.6.3, §15.6.5
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Connection } from "../exchange/takeover.ts"
import type { Failure } from "./failure.ts"

/** How long to wait, in milliseconds; infinite is for ever. */
export interface Timeouts {
  /** For a connection. */
  readonly connect: number
  /** For the head of the answer, once the request is sent. */
  readonly response: number
  /** For the next bytes of a body, while the other side is ready for them. */
  readonly idle: number
}

/** A request as it goes out. */
export interface Outgoing {
  /** Scheme and authority. */
  readonly origin: string
  readonly method: string
  /** Path and query, as they go onto the wire. */
  readonly path: string
  /** Names in lower case and values, in turn; none of the framing and none of the connection. */
  readonly headers: ReadonlyArray<string>
  /** Whose body goes along; undefined for a request without one. */
  readonly source: HttpServerRequest | undefined
  /** The most bytes of the body. */
  readonly limit: bigint | undefined
  /** The protocols to change to, for a request that may take its connection over. */
  readonly upgrade: string | undefined
  readonly timeouts: Timeouts
  /** Counts it: 1 when it begins, -1 when all is over, answered or not. */
  readonly count: (change: 1 | -1) => void
}

/** An answer. What is left of it ends with the scope. */
export interface Incoming {
  readonly status: number
  readonly statusText: string | undefined
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  /** All of it where it is there already. An empty chunk says that the rest takes time: the head need not wait. */
  readonly body: Uint8Array | Stream.Stream<Uint8Array, Failure["error"]>
  /** With a 101: writes the lines of its head and carries the bytes of the new protocol, until one side leaves. */
  readonly tunnel: ((connection: Connection, lines: Lines) => Effect.Effect<void>) | undefined
}

/** Header fields as lines. */
export type Lines = ReadonlyArray<readonly [name: string, value: string]>

/** What carries requests. */
export interface Transport {
  readonly send: (outgoing: Outgoing) => Effect.Effect<Incoming, Failure, Scope.Scope>
  /** Whether the connection of a request can be taken over. */
  readonly canUpgrade: (request: HttpServerRequest) => boolean
  /** Runs beside all requests until the server has stopped; undefined where no server says when that is. */
  readonly background: ((effect: Effect.Effect<unknown>) => void) | undefined
}

/** The transport of the engine. */
export const Transport = Context.Reference<Transport>("effect-web/Transport", {
  defaultValue: (): Transport => ({
    // Loaded when it is needed, as under Node it is not.
    send: (outgoing) =>
      Effect.flatMap(
        Effect.promise(() => import("./clientTransport.ts")),
        ({ send }) => send(outgoing)
      ),
    canUpgrade: () => false,
    background: undefined
  })
})
