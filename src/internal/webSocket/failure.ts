/**
 * How WebSockets end: close codes, and the failures that know theirs.
 *
 * ```ts
 * yield* new Close({ code: 4001, reason: "Game over" })
 * ```
 *
 * @source aiohttp.WSCloseCode
 * @spec RFC 6455 §7.4; IANA WebSocket Close Code Number Registry
 */
import * as Data from "effect/Data"

/** The registered codes that a program may want to send. Your own are those from 4000 to 4999. */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  unsupportedData: 1003,
  invalidPayload: 1007,
  policyViolation: 1008,
  messageTooBig: 1009,
  internalError: 1011,
  serviceRestart: 1012,
  tryAgainLater: 1013,
  unauthorized: 3000,
  forbidden: 3003,
  timeout: 3008
} as const

/** What a handler may fail with: anything that says with which code the connection closes then. */
export interface Closing {
  readonly closeCode: number
  /** For the peer; cut to 123 bytes. */
  readonly closeReason?: string | undefined
}

/** Closes the connection with a code of your own. */
export class Close extends Data.TaggedError("WebSocketClose")<{
  readonly code: number
  readonly reason?: string
}> {
  get closeCode(): number {
    return this.code
  }
  get closeReason(): string | undefined {
    return this.reason
  }
}

/**
 * What went wrong on a connection:
 * - "closed": the peer closed with another code than 1000, 1001 or none, the connection broke (`code` 1006), or it had ended before
 * - "malformed": a message is not what the endpoint takes (`code` 1003 text for bytes or the reverse, 1007 no JSON, 1008 not the schema)
 * - "timeout": the peer was silent for longer than `receiveTimeout` (3008)
 */
export class WebSocketError extends Data.TaggedError("WebSocketError")<{
  readonly reason: "closed" | "malformed" | "timeout"
  readonly code: number
  readonly text: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return this.text
  }
  get closeCode(): number {
    return this.code
  }
  get closeReason(): string {
    return this.text
  }
}

/** Whether a peer that closed with this code is just done: 1000, 1001, or no code at all. */
export const isClean = (code: number): boolean => code === 1000 || code === 1001 || code === 1005

/** The failure of who still wants something from a connection that has ended. */
export const closed = (code: number, reason: string): WebSocketError =>
  new WebSocketError({
    reason: "closed",
    code,
    text: code === 1006 ? "The connection broke" : `The WebSocket is closed: ${code} ${reason}`.trimEnd()
  })

/** Whether a code may be sent in a close frame (§7.4.1, §7.4.2). */
export const isSendable = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)
