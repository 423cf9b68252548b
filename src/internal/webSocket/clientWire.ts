/**
 * A connection of a client, over the WebSocket that browsers and Node have.
 *
 * ```ts
 * const wire = yield* open("wss://app.example/chat", ["chat.v2"], Duration.seconds(10))
 * ```
 *
 * Such a WebSocket has no pings and cannot stop reading: what comes is held in memory until it is taken.
 *
 * @spec WHATWG WebSockets §3
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Socket from "effect/socket/Socket"
import { WebSocketError } from "./failure.ts"
import type { Data, Listener, Prepared, Wire } from "./wire.ts"

/** What of a WebSocket Effect's type does not name; other constructors may lack it. */
type Web = Socket.WebSocketLike & { binaryType?: string; readonly bufferedAmount?: number; readonly protocol?: string }

type Construct = Socket.WebSocketConstructor["Service"]

/** Opens a connection. What browsers hide nobody knows: a refusal, no network, and no such host are the same failure. */
export const open = (
  url: string | URL,
  protocols: ReadonlyArray<string>,
  patience: Duration.Input
): Effect.Effect<Wire, WebSocketError> =>
  Effect.flatMap(Effect.serviceOption(Socket.WebSocketConstructor), (given) => {
    const address = absolute(url)
    const opening = Effect.callback<Wire, WebSocketError>((resume) => {
      const web: Web = construct(given)(address, [...protocols])
      web.binaryType = "arraybuffer"
      const wire = make(web)
      web.addEventListener("open", () => resume(Effect.succeed(wire)), { once: true })
      const fail = () => resume(Effect.fail(failed(`No connection to ${address}`)))
      web.addEventListener("close", fail, { once: true })
      // Node 22 says nothing else.
      web.addEventListener("error", fail, { once: true })
      return Effect.sync(() => web.close())
    })
    const late = () => Effect.fail(failed(`No connection to ${address} in time`))
    return Effect.timeoutOrElse(opening, { duration: patience, orElse: late })
  })

const construct = (given: Option.Option<Construct>): Construct => {
  if (Option.isSome(given)) return given.value
  const { WebSocket } = globalThis
  // Their events are the same, their types are not.
  if (WebSocket !== undefined)
    return (url, protocols) => new WebSocket(url, protocols as Array<string>) as Socket.WebSocketLike
  throw new Error("There is no WebSocket here: run on Node 22 or later, or provide Socket.WebSocketConstructor")
}

/** In a page a path is enough; "http" is "ws". Throws a TypeError for what is no URL. */
const absolute = (url: string | URL): string => {
  const { location } = globalThis as { readonly location?: { readonly href: string } }
  const made = new URL(url, location?.href)
  made.protocol = made.protocol.replace("http", "ws")
  made.hash = ""
  return made.href
}

const failed = (text: string): WebSocketError => new WebSocketError({ reason: "closed", code: 1006, text })

const make = (web: Web): Wire => {
  const early: Array<(listener: Listener) => void> = []
  let listener: Listener | undefined
  let isOver = false
  let waiting: Array<(error?: unknown) => void> = []

  const tell = (f: (listener: Listener) => void): void => {
    if (listener === undefined) early.push(f)
    else f(listener)
  }
  const over = (code: number, reason: string): void => {
    if (isOver) return
    isOver = true
    tell((listener) => listener.close(code, reason))
    left(true)
  }
  const left = (error?: unknown): void => {
    const all = waiting
    waiting = []
    for (const done of all) done(error)
  }
  // Nothing tells that a message has left.
  const look = (): void => {
    if (isOver || waiting.length === 0) return
    if ((web.bufferedAmount ?? 0) === 0) left()
    else setTimeout(look, 20)
  }

  web.addEventListener("message", ({ data }) => {
    if (!isOver) tell((listener) => listener.message(data instanceof ArrayBuffer ? new Uint8Array(data) : String(data)))
  })
  web.addEventListener("error", () => {})
  web.addEventListener("close", ({ code = 1006, reason = "" }) => over(code, reason))

  return {
    get protocol() {
      return web.protocol ?? ""
    },
    send: (message, done) => {
      if (isOver || web.readyState !== 1) {
        queueMicrotask(() => done(true))
        return false
      }
      web.send(plain(message))
      waiting.push(done)
      if (waiting.length === 1) queueMicrotask(look)
      return false
    },
    buffered: () => web.bufferedAmount ?? 0,
    received: () => 0,
    sent: () => 0,
    taken: () => undefined,
    ping: undefined,
    close: (code, reason) => {
      // Other codes a page may not send.
      if (code === 1000 || (code >= 3000 && code <= 4999)) web.close(code, reason)
      else web.close()
    },
    terminate: () => {
      web.close()
      over(1006, "")
    },
    pause: () => {},
    resume: () => {},
    listen: (given) => {
      listener = given
      for (const f of early.splice(0)) f(given)
    }
  }
}

// Bytes over shared memory are refused by WebSockets, and by nobody else.
const plain = (message: Data | Prepared): string | Uint8Array<ArrayBuffer> =>
  typeof message === "string" || message instanceof Uint8Array
    ? (message as string | Uint8Array<ArrayBuffer>)
    : plain(message.message)
