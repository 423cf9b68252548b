/**
 * Requests that ask for another protocol (RFC 9110 §7.8): the connection is handed over, or the answer is an ordinary one.
 *
 * ```ts
 * Upgrade.listen(server, { previous, handle })
 * ```
 *
 * `Upgrade` means nothing in a request of HTTP/1.0, in one with a body, and behind an answer that is still going out. An ordinary
 * answer leaves the connection as usable as it was.
 */
import * as Http from "node:http"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import { ClientAbort } from "effect/http/HttpServerError"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { Connection, Takeover } from "../../internal/takeover.ts"
import type { NodeRequest } from "./NodeRequest.ts"
import { announced } from "./RequestBody.ts"

/** How the engine handles requests that ask for an upgrade. */
export interface Options {
  /** The response before on the connection. */
  readonly previous: (socket: Duplex) => Http.ServerResponse | undefined
  readonly handle: (source: Http.IncomingMessage, response: Http.ServerResponse, head: Uint8Array) => void
}

/** Follows the upgrades of a server; to be called before it has connections. */
export const listen = (server: Http.Server, { handle, previous }: Options): void => {
  const wants = (source: Http.IncomingMessage): boolean =>
    source.httpVersionMinor === 1 &&
    !announced(source) &&
    source.headers.expect === undefined &&
    previous(source.socket)?.writableEnded !== false
  if ("shouldUpgradeCallback" in server) server.shouldUpgradeCallback = wants
  else deciders.set(server, wants)
  server.on("upgrade", (source: Http.IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node has taken its own away. It may be there from an upgrade that was declined.
    if (!socket.listeners("error").includes(ignore)) socket.on("error", ignore)
    const begin = () => {
      const response = new Http.ServerResponse(source)
      // Their types want a net.Socket; in tests it is any Duplex.
      response.assignSocket(socket as Net.Socket)
      // Who leaves is seen only by who reads; what is read waits for its reader.
      const leave = () => {
        if (!taken.has(response)) socket.destroy()
      }
      socket.once("end", leave)
      socket.read(0)
      response.once("finish", () => {
        socket.off("end", leave)
        restore(server, socket as Net.Socket, response, head)
      })
      handle(source, response, head)
    }
    const before = previous(socket)
    if (before === undefined || before.writableFinished) begin()
    else before.once("finish", begin)
  })
}

const ignore = (): void => {}

type Decider = (source: Http.IncomingMessage) => boolean

const deciders = new WeakMap<object, Decider>()

/**
 * What `createServer` has to be told. Before 24.9 Node hands over all requests that ask, or none, by a flag that it sets on the
 * message once before and once behind its headers; there the flag decides for itself.
 */
export const serverOptions = (): Http.ServerOptions => {
  if ("shouldUpgradeCallback" in Http.createServer()) return {}
  class Incoming extends Http.IncomingMessage {}
  const flags = new WeakMap<Http.IncomingMessage, boolean>()
  Object.defineProperty(Incoming.prototype, "upgrade", {
    get(this: Http.IncomingMessage) {
      return flags.get(this)
    },
    set(this: Http.IncomingMessage, asks: boolean | null) {
      if (asks === null) return
      const isRead = this.method !== undefined && this.method !== null && this.rawHeaders.length > 0
      const decide = deciders.get((this.socket as { readonly server?: object }).server ?? this)
      flags.set(this, isRead && this.method !== "CONNECT" ? asks && decide?.(this) === true : asks)
    }
  })
  return { IncomingMessage: Incoming }
}

// Node's own note that the connection closes after this response.
const closes = (response: Http.ServerResponse): boolean => (response as { readonly _last?: boolean })._last === true

// After an ordinary answer the connection is the server's again, with what has come meanwhile.
const restore = (server: Http.Server, socket: Net.Socket, response: Http.ServerResponse, head: Buffer): void => {
  response.detachSocket(socket)
  if (closes(response) || socket.destroyed) {
    socket.end()
    return
  }
  if (head.length > 0) socket.unshift(head)
  server.emit("connection", socket)
}

const taken = new WeakSet<Http.ServerResponse>()

/** True when the connection of a response was taken over: nothing is written to it any more. */
export const isTaken = (response: Http.ServerResponse): boolean => taken.has(response)

/**
 * Hands the connection over; ends when `run` has ended and destroys it then. Its failures are logged: nobody is left to be told.
 */
export const hand = (
  request: NodeRequest,
  response: HttpServerResponse,
  { options, run }: Takeover
): Effect.Effect<unknown> =>
  Effect.withFiber((fiber) => {
    const { socket } = request.source
    const connection = take(request, lines(response))
    const leave = () => fiber.interruptUnsafe(undefined, ClientAbort.annotation)
    if (options.watches !== true) socket.once("close", leave)
    return Effect.interruptible(Effect.suspend(() => run(connection))).pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.failCause(cause as Cause.Cause<never>)
          : Effect.annotateLogs(Effect.logError("A connection that was taken over broke off", cause), {
              "http.method": request.method,
              "http.path": request.url.split("?")[0]
            })
      ),
      Effect.ensuring(
        Effect.sync(() => {
          socket.off("close", leave)
          socket.destroy()
        })
      )
    )
  })

/**
 * Takes the connection from its request; `headers` go into the 101. Throws for what would break out of a line, as Node does for
 * ordinary answers.
 */
export const take = ({ head, response, source }: NodeRequest, headers: Connection["headers"]): Connection => {
  for (const [name, value] of headers) {
    Http.validateHeaderName(name)
    Http.validateHeaderValue(name, value)
  }
  response.detachSocket(source.socket)
  taken.add(response)
  return { request: source, socket: source.socket, head: head as Uint8Array, headers }
}

const lines = ({ cookies, headers }: HttpServerResponse): Connection["headers"] => [
  ...Object.entries(headers).filter(([name]) => !framing.has(name)),
  ...Cookies.toSetCookieHeaders(cookies).map((value) => ["set-cookie", value] as const)
]

// What a 101 does not have, or the protocol says itself.
const framing: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "content-type",
  "transfer-encoding",
  "upgrade"
])
