/**
 * Gives each request an id: on its answer, on every line that is logged for it, in the access log, on its span and in error pages.
 *
 * ```ts
 * App.make(routes).pipe(App.use(AccessLog.make()), App.use(RequestId.make())) // outermost: what it surrounds has the id
 * const id = yield* RequestId.current
 * const client = RequestId.propagate(yield* HttpClient.HttpClient) // sends it on
 * ```
 *
 * Unlike aiohttp-request-id-logging: 128 random bits in place of 35, and a request may bring its own where that is allowed.
 *
 * @source aiohttp-request-id-logging
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import type { Handler } from "../Handler.ts"
import { isToken } from "../http/Syntax.ts"
import * as Exchange from "../internal/exchange/exchange.ts"
import { follow } from "../internal/exchange/followed.ts"
import * as Passage from "../internal/exchange/passage.ts"
import { checkHeader } from "../internal/responses/responseHead.ts"
import type { Middleware } from "../Middleware.ts"

/** Where ids come from and go to. */
export interface Options {
  /** The header of the answer, and of a request that brings an id; `x-request-id` unless given. */
  readonly header?: string
  /**
   * Whether the id that a request brings is taken; false unless given, for a client could choose that of another. It has to be 1 to
   * 128 of the characters A-Z a-z 0-9 . _ - : else one is made. Behind a proxy that sets it: true, or a check of who sent it.
   */
  readonly accept?: boolean | ((request: HttpServerRequest) => boolean)
  /** Makes an id; 128 random bits in hex unless given. It goes into a header, so it has to be printable ASCII. */
  readonly generate?: Effect.Effect<string>
}

/** The id of the request that this runs for; undefined where there is none. */
export const current: Effect.Effect<string | undefined> = Effect.withFiber((fiber) =>
  Effect.succeed(of(Context.getOrUndefined(fiber.context, HttpServerRequest)))
)

/** The id of a request, for error pages of one's own. */
export const of = (request: HttpServerRequest | undefined): string | undefined => Exchange.peek(request)?.requestId

/** A client that sends the id of the request it is used for in a header, `x-request-id` unless given, where that has none yet. */
export const propagate = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  header = "x-request-id"
): HttpClient.HttpClient.With<E, R> =>
  HttpClient.mapRequestEffect(client, (request) =>
    Effect.map(current, (id) =>
      id === undefined || request.headers[header.toLowerCase()] !== undefined
        ? request
        : HttpClientRequest.setHeader(request, header, id)
    )
  )

const valid = /^[\w.-]{1,128}$/

/** Makes the middleware. A request that has an id, from a middleware around this one, keeps it. Throws a TypeError for a bad header. */
export const make = (options: Options = {}): Middleware => {
  const { accept = false } = options
  const header = (options.header ?? "x-request-id").toLowerCase()
  if (!isToken(header))
    throw new TypeError(`RequestId: "${header}" is no name of a header; leave it out for x-request-id`)

  const brought = (request: HttpServerRequest): string | undefined => {
    const id = request.headers[header]
    if (id === undefined || accept === false || !valid.test(id)) return undefined
    return accept === true || accept(request) ? id : undefined
  }

  const step =
    (generate: () => string): Passage.Step =>
    (passage) => {
      const exchange = follow(passage)
      if (exchange.requestId !== undefined) return
      const requestId = brought(passage.request) ?? generate()
      exchange.requestId = requestId
      const span = Context.getOrUndefined(passage.outer, Tracer.ParentSpan)
      if (span?._tag === "Span") span.attribute("requestId", requestId)
      passage.provide((context) => annotated(context, requestId))
      passage.answered((headers) => {
        headers[header] = requestId
      })
    }
  // A handler goes in and comes out; the middleware's type says which.
  if (options.generate === undefined) return Passage.middleware(step(random())) as Middleware
  const generated = Effect.tap(options.generate, (id) => Effect.sync(() => checkHeader(header, id)))
  const middleware = (handler: Handler<unknown, unknown>) =>
    Effect.flatMap(HttpServerRequest, (request) => {
      const known = of(request) ?? brought(request)
      const id = known === undefined ? generated : Effect.succeed(known)
      return Effect.flatMap(id, (id) => Passage.through([step(() => id)], handler))
    })
  return middleware as Middleware
}

const annotated = (context: Context.Context<never>, requestId: string): Context.Context<never> =>
  Context.add(context, References.CurrentLogAnnotations, {
    ...Context.get(context, References.CurrentLogAnnotations),
    requestId
  })

/** So many ids are made of the random bytes of one call, which costs more than they do. */
const batch = 128

const random = (): (() => string) => {
  const bytes = new Uint8Array(batch * 16)
  let at = bytes.length
  return () => {
    if (at === bytes.length) {
      globalThis.crypto.getRandomValues(bytes)
      at = 0
    }
    let id = ""
    for (const end = at + 16; at < end; at++) id += hex[bytes[at] as number]
    return id
  }
}

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))
