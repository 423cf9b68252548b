/**
 * The options of an endpoint, checked when it is declared.
 *
 * ```ts
 * const { maxMessage, settings } = checked({ maxMessage: "64 KiB", heartbeat: "10 seconds" })
 * ```
 */
import type * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Syntax from "../../http/Syntax.ts"
import type { Options } from "../../WebSocket.ts"
import * as ByteLimit from "../byteLimit.ts"
import { isSameOrigin } from "./handshake.ts"
import type { Slow } from "./outbox.ts"
import type { Settings } from "./session.ts"

/** What an endpoint is asked and told at run time. */
export interface Checked {
  readonly protocols: ReadonlyArray<string>
  readonly compress: boolean
  readonly maxMessage: number
  readonly allows: (request: HttpServerRequest) => (origin: string) => boolean
  readonly settings: Settings
}

/** The options with their defaults. Throws a TypeError for what can never work. */
export const checked = (options: Options<never>): Checked => {
  const { closeTimeout = "10 seconds", heartbeat = "30 seconds", protocols = [], receiveTimeout } = options
  for (const name of protocols) {
    if (!Syntax.isToken(name)) throw new TypeError(`"${name}" is no subprotocol; write one word, as "chat.v2"`)
  }
  return {
    protocols,
    compress: options.compress ?? true,
    maxMessage: bytes("maxMessage", options.maxMessage, 4 * 1024 * 1024),
    allows: allowing(options.origins),
    settings: {
      heartbeat: heartbeat === false ? undefined : time("heartbeat", heartbeat),
      receiveTimeout: receiveTimeout === undefined ? undefined : time("receiveTimeout", receiveTimeout),
      closeTimeout: time("closeTimeout", closeTimeout),
      limit: bytes("sendBuffer", options.sendBuffer, 1024 * 1024),
      // Its key is asked for messages that are sent, and no others.
      slow: (options.slow ?? "suspend") as Slow
    }
  }
}

/** What a string can hold, and so the largest text message, is a little under 512 MiB. */
const most = 500 * 1024 * 1024

const bytes = (name: string, input: ByteSize.Input | undefined, usual: number): number => {
  const size = input === undefined ? usual : Number(ByteLimit.parse(input))
  if (size >= 1 && size <= most) return size
  throw new TypeError(`${name}: ${String(input)} is out of range; write a size from 1 byte to 500 MiB`)
}

const time = (name: string, input: Duration.Input): Duration.Duration => {
  const duration = Duration.fromInputUnsafe(input)
  if (Duration.isGreaterThan(duration, Duration.zero)) return duration
  throw new TypeError(`${name}: write a time above zero${name === "heartbeat" ? ", or false for none" : ""}`)
}

const allowing = (origins: Options["origins"]): Checked["allows"] => {
  if (origins === undefined) return (request) => (origin) => isSameOrigin(request, origin)
  if (typeof origins === "function") return () => origins
  if (origins === "any") return () => () => true
  const known = new Set(origins.map(originOf))
  return () => (origin) => known.has(origin.toLowerCase())
}

const originOf = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && url.origin === text.toLowerCase()) return url.origin
  if (text === "*") throw new TypeError('"*" is no origin; for all of them write origins: "any"')
  const cure = url !== undefined && url.origin !== "null" ? url.origin : "https://app.example"
  throw new TypeError(`"${text}" is no origin; write "${cure}"`)
}
