/**
 * Runs effects for bodies that never were on a wire.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpError from "../src/HttpError.ts"

/** What stands in a body. */
type Content = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
/** A body to send: its Content-Type, its content, other header fields. */
export type Sent = readonly [
  contentType: string | undefined,
  body: Content | undefined,
  headers?: Record<string, string>
]

/** The request of a body. */
export const request = ([contentType, body, headers]: Sent) => {
  const content = typeof body === "string" ? new TextEncoder().encode(body) : body
  const type = contentType === undefined ? undefined : { "content-type": contentType }
  const init = content === undefined ? {} : { body: content, duplex: "half" }
  return HttpServerRequest.fromWeb(
    new Request("http://a/", { method: "POST", headers: { ...type, ...headers }, ...init })
  )
}

/** Runs an effect for a body. */
export const sent = <A, E>(effect: Effect.Effect<A, E, HttpServerRequest.HttpServerRequest>, from: Sent) =>
  Effect.provideService(effect, HttpServerRequest.HttpServerRequest, request(from))

/** What an effect fails with, as status and text. */
export const failed = <E extends HttpError.HttpError>(
  effect: Effect.Effect<unknown, E, HttpServerRequest.HttpServerRequest>,
  from: Sent
) => Effect.map(Effect.flip(sent(effect, from)), (error) => [error.status, error.text])
