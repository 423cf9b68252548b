/**
 * Runs effects for requests that never were on a wire.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import { RouteContext } from "../src/Handler.ts"
import type * as HttpError from "../src/HttpError.ts"

/** A request to make; GET of "/" where nothing is said. */
export interface Sent {
  readonly method?: string
  readonly url?: string
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly peer?: string
  readonly params?: Record<string, string>
}

/** The request, as Effect's adapter of the web gives it. */
export const request = ({ url = "http://app.test/", peer, headers = {}, ...init }: Sent) =>
  HttpServerRequest.fromWeb(
    new globalThis.Request(url, { method: init.body === undefined ? "GET" : "POST", ...init })
  ).modify({ remoteAddress: Option.fromNullishOr(peer), headers: Headers.fromInput(headers) })

/** Runs an effect for a request. */
export const sent = <A, E>(
  effect: Effect.Effect<A, E, HttpServerRequest.HttpServerRequest | RouteContext>,
  from: Sent = {}
) =>
  effect.pipe(
    Effect.provideService(HttpServerRequest.HttpServerRequest, request(from)),
    Effect.provideService(RouteContext, { params: from.params ?? {}, name: "test", path: "/" })
  )

/** A name, an effect, the request that it runs for, and what it gives. */
type Row = readonly [
  name: string,
  effect: Effect.Effect<unknown, unknown, HttpServerRequest.HttpServerRequest | RouteContext>,
  from: Sent,
  wanted: unknown
]

/** A test for each row. */
export const rows = (name: string, all: ReadonlyArray<Row>) =>
  describe(name, () => {
    for (const [row, effect, from, wanted] of all) {
      it.effect(row, () => Effect.map(sent(effect, from), (found) => assert.deepStrictEqual(found, wanted)))
    }
  })

/** What an effect fails with, as status and text. */
export const failure = <E extends HttpError.HttpError>(
  effect: Effect.Effect<unknown, E, HttpServerRequest.HttpServerRequest | RouteContext>,
  from: Sent
) => Effect.map(Effect.flip(sent(effect, from)), (error) => [error.status, error.text])

/** A request to a URL. */
export const at = (url: string): Sent => ({ url })

/** A request with header fields. */
export const having = (headers: Record<string, string>): Sent => ({ headers })
