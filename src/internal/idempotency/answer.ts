/**
 * What a handler came to, as JSON, and the same again: a response, or a typed failure with its fields.
 *
 * ```ts
 * const kept = yield* keep(exit, options) // undefined: not to be kept
 * return yield* replay(kept, options)
 * ```
 *
 * Without cookies, which are secrets, and fields that belong to one connection.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Base64 from "effect/encoding/Base64"
import type * as Headers from "effect/http/Headers"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import type * as HttpError from "../../HttpError.ts"
import { isHttpError } from "../../HttpError.ts"
import * as Failure from "./failure.ts"
import { type Classes, type KeptError, keepError, replayed, restore } from "./keptError.ts"

/** What is kept. */
export type Kept = { readonly response: KeptResponse } | { readonly error: KeptError } | { readonly lost: true }

interface KeptResponse {
  readonly status: number
  readonly statusText?: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly text?: string
  /** Bytes that are no text, in base64. */
  readonly bytes?: string
}

/** Which answers are kept. */
export interface Rules {
  readonly isKept: (status: number) => boolean
  /** In bytes. */
  readonly limit: number
  readonly classes: Classes
}

type Handled = Exit.Exit<HttpServerResponse.HttpServerResponse, unknown>

/** What is to be kept; undefined for what died, was interrupted, knows no response, or is to be tried again. */
export const keep = (exit: Handled, rules: Rules): Effect.Effect<Kept | undefined> => {
  if (Exit.isSuccess(exit)) return Effect.succeed(keepResponse(exit.value, rules))
  const { reasons } = exit.cause
  const failed = reasons.find(Cause.isFailReason)
  if (failed === undefined || reasons.some((reason) => reason._tag !== "Fail")) return Effect.undefined
  const { error } = failed
  if (HttpServerResponse.isHttpServerResponse(error)) return Effect.succeed(keepResponse(error, rules))
  if (isHttpError(error)) return rules.isKept(error.status) ? keptError(error, rules) : Effect.undefined
  if (!HttpServerRespondable.isRespondable(error)) return Effect.undefined
  const response = Effect.suspend(() => error[HttpServerRespondable.symbol]())
  return Effect.catchCause(
    Effect.map(response, (response) => keepResponse(response, rules)),
    () => Effect.undefined
  )
}

const keptError = (error: HttpError.HttpError, { classes }: Rules) =>
  Effect.map(keepError(error, classes), (error): Kept => ({ error }))

const unkept: ReadonlySet<string> = new Set([
  ...["connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer", "transfer-encoding"],
  ...["upgrade", "content-length", "date", "set-cookie"]
])

const keepResponse = (response: HttpServerResponse.HttpServerResponse, { isKept, limit }: Rules): Kept | undefined => {
  const { body, headers, status, statusText } = response
  if (!isKept(status)) return undefined
  const head = { status, statusText, headers: withoutUnkept(headers) }
  if (body._tag === "Empty") return { response: head }
  if (body._tag !== "Uint8Array" || body.contentLength > limit) return { lost: true }
  return {
    response: body.text === undefined ? { ...head, bytes: Base64.encode(body.body) } : { ...head, text: body.text }
  }
}

const withoutUnkept = (headers: Headers.Headers) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !unkept.has(name)))

/** The response, or the failure, again. */
export const replay = (
  kept: Kept,
  { classes }: Rules
): Effect.Effect<HttpServerResponse.HttpServerResponse, Failure.NotKept> => {
  if ("response" in kept) return Effect.sync(() => toResponse(kept.response))
  if ("lost" in kept) {
    return Effect.fail(new Failure.NotKept({ text: "The request was carried out; its answer was not kept" }))
  }
  // Of the failures of the handler, which are in the type already.
  return Effect.flatMap(restore(kept.error, classes), (error) => Effect.fail(error as unknown as Failure.NotKept))
}

const toResponse = ({
  bytes,
  headers,
  status,
  statusText,
  text
}: KeptResponse): HttpServerResponse.HttpServerResponse => {
  const options = {
    status,
    statusText,
    headers: { ...headers, ...replayed },
    ...(headers["content-type"] === undefined ? undefined : { contentType: headers["content-type"] })
  }
  if (text !== undefined) return HttpServerResponse.text(text, options)
  if (bytes === undefined) return HttpServerResponse.empty({ status, statusText, headers: options.headers })
  return HttpServerResponse.uint8Array(
    Result.getOrElse(Base64.decode(bytes), () => new Uint8Array()),
    options
  )
}
