/**
 * One request on a connection of undici, and its answer as it comes.
 *
 * ```ts
 * const incoming = yield* exchange(dispatcher, outgoing, headers, upload, scope)
 * ```
 *
 * An answer that is there whole in one turn of the event loop, as small ones are, is given as bytes; any other as a stream, which
 * stops reading from the upstream server while nobody takes what it has.
 *
 * @spec RFC 9112 §9
 */
import type { Duplex } from "node:stream"
import type { Dispatcher } from "@effect/platform-node/Undici"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Failure from "../../../internal/proxy/failure.ts"
import type { Incoming, Outgoing } from "../../../internal/proxy/transport.ts"
import { Inflow } from "./Inflow.ts"
import * as Tunnel from "./Tunnel.ts"
import type { Upload } from "./Upload.ts"
import { isReset, servername } from "./UpstreamSocket.ts"

/** So many interim answers may come before the final one. */
const maxInterim = 32

type Resume = (effect: Effect.Effect<Incoming, Failure.Failure>) => void
type Controller = Dispatcher.DispatchController

/** Sends a request with an upload, or with bytes that are there. Interruption breaks it off, and so does the end of the scope. */
export const exchange = (
  dispatcher: Dispatcher,
  outgoing: Outgoing,
  headers: ReadonlyArray<string>,
  body: Upload | Uint8Array | null,
  scope: Scope.Scope
): Effect.Effect<Incoming, Failure.Failure> =>
  Effect.callback((resume) => {
    const exchange = new Exchange(outgoing, body, scope, resume)
    const { method, origin, path, upgrade = null } = outgoing
    const request = { origin, path, method, headers, body, upgrade, servername: servername(origin) }
    const options = { ...request, headersTimeout: 0, bodyTimeout: 0 }
    // Their type of headers wants an array that it may change.
    dispatcher.dispatch(options as Dispatcher.DispatchOptions, exchange)
    return Effect.sync(() => exchange.abort(interrupted))
  })

/** What undici tells, and what is made of it; the fiber goes on when undici is done. */
class Exchange implements Dispatcher.DispatchHandler {
  private readonly outgoing: Outgoing
  private readonly upload: Upload | undefined
  private readonly scope: Scope.Scope
  private readonly resume: Resume
  private controller: Controller | undefined
  private socket: Duplex | undefined
  private phase: "connect" | "send" | "wait" | "receive" | "done" = "connect"
  private timer: NodeJS.Timeout | undefined
  private failure: Failure.Failure | undefined
  private interim = 0
  private head: Pick<Incoming, "status" | "statusText" | "headers"> | undefined
  private readonly inflow = new Inflow(() => this.goOn())

  constructor(outgoing: Outgoing, body: Upload | Uint8Array | null, scope: Scope.Scope, resume: Resume) {
    this.outgoing = outgoing
    this.upload = body === null || body instanceof Uint8Array ? undefined : body
    this.scope = scope
    this.resume = resume
    outgoing.count(1)
    this.wait(outgoing.timeouts.connect)
  }

  private wait(milliseconds: number | undefined): void {
    clearTimeout(this.timer)
    this.timer =
      milliseconds !== undefined && milliseconds < maxTimeout ? setTimeout(expire, milliseconds, this) : undefined
  }

  /** What the log is told: of several upstream servers it has to say which. */
  private fault(what: string, cause?: Error): Error {
    return new Error(`${this.outgoing.origin}: ${what}`, { cause })
  }

  /** The time is over. */
  expire(): void {
    const { timeouts } = this.outgoing
    const late = (what: string, milliseconds: number) => this.fault(`${what} within ${milliseconds} ms`)
    if (this.phase === "connect") {
      this.abort(Failure.failure("connectTimeout", "nobody", late("no connection", timeouts.connect)))
    } else if (this.phase === "receive") {
      this.abort(Failure.failure("idle", "answered", late("no more bytes", timeouts.idle)))
    } else if (this.phase === "wait") {
      this.abort(Failure.failure("responseTimeout", "upstream", late("no answer", timeouts.response)))
    } else if (this.upload?.awaitsClient === true) {
      // A client that is slow is for the server to deal with.
      this.wait(timeouts.idle)
    } else {
      this.abort(Failure.failure("responseTimeout", "upstream", late("no bytes taken", timeouts.idle)))
    }
  }

  /** Gives up. */
  abort(failure: Failure.Failure): void {
    if (this.phase === "done") return
    this.end(failure)
    this.controller?.abort(failure.error)
    this.socket?.destroy()
    this.upload?.destroy()
  }

  private end(failure: Failure.Failure | undefined): void {
    this.phase = "done"
    this.failure = failure
    this.wait(undefined)
    this.outgoing.count(-1)
    if (failure !== undefined && this.head === undefined) queueMicrotask(() => this.resume(Effect.fail(failure)))
    this.inflow.close(failure)
  }

  onRequestStart(controller: Controller): void {
    this.controller = controller
    if (this.phase === "done") {
      controller.abort(interrupted.error)
      return
    }
    this.phase = this.upload === undefined ? "wait" : "send"
    this.wait(this.outgoing.timeouts[this.upload === undefined ? "response" : "idle"])
  }

  onBodySent(): void {
    if (this.phase !== "wait") this.timer?.refresh()
  }

  onRequestSent(): void {
    if (this.phase !== "send") return
    this.phase = "wait"
    this.wait(this.outgoing.timeouts.response)
  }

  onResponseStart(_: Controller, status: number, headers: Incoming["headers"], statusText?: string): void {
    if (status < 200) {
      this.interim++
      if (this.interim > maxInterim) {
        this.abort(Failure.failure("malformed", "answered", this.fault("too many interim answers")))
      }
      return
    }
    this.phase = "receive"
    this.wait(undefined)
    this.head = { status, statusText, headers }
    // By then what came in the same packet has been read, and when that was no HTTP, one turn later the connection is closed.
    queueMicrotask(() => {
      if (this.phase === "receive" && this.inflow.isEmpty) setImmediate(setImmediate, () => this.answer())
      else this.answer()
    })
  }

  private answer(): void {
    const { failure, inflow, phase } = this
    // It is called when there is a head.
    const head = this.head as NonNullable<typeof this.head>
    if (phase === "done" && failure === undefined) {
      this.resume(Effect.succeed({ ...head, body: inflow.bytes, tunnel: undefined }))
    } else if (failure !== undefined && inflow.isEmpty) {
      this.resume(Effect.fail(failure))
    } else {
      this.keep()
      if (this.controller?.paused === false) this.wait(this.outgoing.timeouts.idle)
      this.resume(Effect.succeed({ ...head, body: inflow.stream(), tunnel: undefined }))
    }
  }

  // Before the fiber goes on: it may be interrupted at any step.
  private keep(): void {
    Effect.runSync(
      Scope.addFinalizer(
        this.scope,
        Effect.sync(() => this.abort(interrupted))
      )
    )
  }

  private goOn(): void {
    if (this.phase !== "receive") return
    this.wait(this.outgoing.timeouts.idle)
    this.controller?.resume()
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.inflow.push(chunk)) {
      this.wait(undefined)
      controller.pause()
    } else {
      this.timer?.refresh()
    }
  }

  onResponseEnd(): void {
    if (this.phase === "done") return
    // undici takes a reset for the end, where only the connection's end can be that of the answer.
    this.end(isReset() ? Failure.failure("broken", "answered", this.fault("the connection was reset")) : undefined)
  }

  onResponseError(_: Controller | undefined, cause: Error): void {
    if (this.phase === "done") return
    const failure = this.upload?.failure ?? classify(this.phase, cause, this.fault(cause.message, cause))
    this.end(failure)
    this.upload?.destroy()
  }

  onRequestUpgrade(_: Controller, status: number, headers: Incoming["headers"], socket: Duplex): void {
    this.wait(undefined)
    this.phase = "receive"
    this.socket = socket
    socket.on("error", () => {})
    socket.once("close", () => {
      if (this.phase !== "done") this.end(undefined)
    })
    this.head = { status, statusText: undefined, headers }
    const answer: Incoming = { ...this.head, body: empty, tunnel: (near, lines) => Tunnel.run(near, socket, lines) }
    queueMicrotask(() => {
      this.keep()
      this.resume(Effect.succeed(answer))
    })
  }
}

const empty = Buffer.alloc(0)

// Node's timers have no longer ones.
const maxTimeout = 2 ** 31

const expire = (exchange: Exchange): void => exchange.expire()

const interrupted = Failure.failure("broken", "answered", undefined)

// undici's words for it, its own and those of its parser.
const malformed = /^(?:HTTPParserError|HeadersOverflowError|ResponseContentLengthMismatchError)$/

const classify = (phase: string, error: Error & { readonly code?: string }, cause: Error): Failure.Failure => {
  const { code, message, name } = error
  if (phase === "connect") {
    const isLate = code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT"
    return Failure.failure(isLate ? "connectTimeout" : "unreachable", "nobody", cause)
  }
  const isMalformed = malformed.test(name) || /^bad (?:response|upgrade)$/.test(message)
  if (isMalformed) return Failure.failure("malformed", "answered", cause)
  return Failure.failure("broken", phase === "receive" ? "answered" : "upstream", cause)
}
