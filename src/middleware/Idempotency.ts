/**
 * Carries out a POST or PATCH that has an `Idempotency-Key` once, however often it comes: what it came to is kept, and given again.
 *
 * ```ts
 * const pay = Route.post("/payments", { body: Body.json(Payment), success: Response.schema(Receipt), errors: [CardDeclined] }, charge).pipe(
 *   Route.use(Idempotency.make({ scope: accountId, store: RecordStore.sql(), errors: [CardDeclined] }))
 * )
 * ```
 *
 * A request that comes while the first is carried out waits for it. Interruptions, defects, failures of 500 and above and others that say
 * "not now" or "not as who you are" (401, 403, 407, 408, 425, 429) free the key: the next one runs. `Set-Cookie` is not kept. Exactly once
 * it is only while the process lives: what has an effect elsewhere should pass the key on, or be in the transaction that `RecordStore.sql`
 * writes in.
 *
 * @spec draft-ietf-httpapi-idempotency-key-header-07
 */
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Body from "../Body.ts"
import { type Engine, type Handler, RouteContext } from "../Handler.ts"
import * as HttpError from "../HttpError.ts"
import * as IdempotencyKey from "../http/IdempotencyKey.ts"
import * as ByteLimit from "../internal/byteLimit.ts"
import type { Rules } from "../internal/idempotency/answer.ts"
import {
  type InProgress,
  KeyInvalid,
  type KeyReused,
  type NotKept,
  errors as own
} from "../internal/idempotency/failure.ts"
import * as Flights from "../internal/idempotency/flights.ts"
import { known } from "../internal/idempotency/keptError.ts"
import { perServer } from "../internal/lifecycle/serverMemory.ts"
import { milliseconds } from "../internal/records/expiry.ts"
import * as target from "../internal/requests/target.ts"
import { sha256 } from "../internal/secrets/sha256.ts"
import type { ErrorClass, Middleware } from "../Middleware.ts"
import * as RecordStore from "../RecordStore.ts"

export { InProgress, KeyInvalid, KeyReused, NotKept } from "../internal/idempotency/failure.ts"

/** Whose keys they are, and how long things take. */
export interface Options<out E = never, out R = never, out SE = never, out SR = never> {
  /**
   * Whose the key is, as the id of a user or an account: two of them may have the same key, and never see each other's answers. "shared"
   * where anyone may see what anyone did: whoever knows a key and the request then gets the answer.
   */
  readonly scope: Effect.Effect<string, E, R> | "shared"
  /** Where answers are kept; the memory of each server, 64 MiB, unless given. */
  readonly store?: RecordStore.RecordStore<SE, SR>
  /** How long an answer is kept; 24 hours. */
  readonly expires?: Duration.Input
  /** Whether a POST or PATCH has to have a key. */
  readonly required?: boolean
  /** How long a request waits for the first with its key, before it is 409; 10 seconds. */
  readonly wait?: Duration.Input
  /** After how long the key of a process that has died is free; 30 seconds. A third of it is its heartbeat. */
  readonly lease?: Duration.Input
  /** The largest body of a request with a key, which is read whole to compare it; 1 MiB. Larger is 413, whatever the route allows. */
  readonly bodyLimit?: ByteSize.Input
  /** The largest body of an answer that is kept; 1 MiB. Of larger ones, streams and files it is only kept that they were given. */
  readonly answerLimit?: ByteSize.Input
  /** The classes of failures to be given again as what they are also by a process that has not seen one yet. */
  readonly errors?: ReadonlyArray<ErrorClass>
}

/**
 * Makes the middleware, for a route or an app. The key is a string in quotes or without, of up to 255 characters. Throws a TypeError for a
 * `lease` below 100 milliseconds and an `expires` below a second.
 *
 * @errors IdempotencyKeyInvalid (400), IdempotencyKeyReused (422) for another request, IdempotencyInProgress (409) with `Retry-After`,
 * IdempotencyNotKept (409), BadRequest (400) and ContentTooLarge (413) for a body that cannot be read; RecordStoreError (503)
 */
export const make = <E = never, R = never, SE = never, SR = never>(
  options: Options<E, R, SE, SR>
): Middleware<
  never,
  E | SE | KeyInvalid | KeyReused | InProgress | NotKept | HttpError.BadRequest | HttpError.ContentTooLarge,
  Exclude<R | SR, Engine>
> => {
  const { required = false, scope } = options
  const find = flightsOf(options)
  const limit = options.bodyLimit === undefined ? ByteSize.mebibytes(1) : ByteLimit.parse(options.bodyLimit)
  const middleware = (handler: Handler<unknown, unknown>) =>
    Effect.flatMap(Effect.all([HttpServerRequest, RouteContext, IsWithin]), ([request, route, isWithin]) => {
      if (isWithin || (request.method !== "POST" && request.method !== "PATCH")) return handler
      const field = request.headers["idempotency-key"]
      if (field === undefined) return required ? Effect.fail(missing()) : handler
      const key = IdempotencyKey.parse(field)
      if (key === undefined) return Effect.fail(malformed())
      return Effect.gen(function* () {
        const owner = scope === "shared" ? "" : `=${yield* scope}`
        const body = yield* sha256(yield* Body.bytes({ limit }))
        const call = {
          key: `idempotency:${yield* sha256(JSON.stringify([owner, key]))}`,
          fingerprint: yield* sha256(JSON.stringify([request.method, ...targetOf(request, route), body]))
        }
        return yield* (yield* find).run(call, Effect.provideService(handler, IsWithin, true))
      })
    })
  const classes = [...own, HttpError.BadRequest, HttpError.ContentTooLarge]
  // What it adds and needs is said by the type above.
  return Object.assign(middleware, {
    errors: options.store === undefined ? classes : [...classes, RecordStore.RecordStoreError]
  }) as never
}

// One inside of another, as for an app and for a route, would wait for the outer one, which waits for it.
const IsWithin = Context.Reference<boolean>("effect-web/Idempotency/IsWithin", { defaultValue: () => false })

// Without scheme and host: the same request may come to another server, or by another way. Of hosts that have routes of their own the
// route tells, and its parameters.
const targetOf = (request: HttpServerRequest, { name, params }: RouteContext["Service"]): ReadonlyArray<unknown> => {
  const { path, search } = target.split(request.originalUrl)
  return [path, search, name, params]
}

const flightsOf = <E, R, SE, SR>(options: Options<E, R, SE, SR>) => {
  const times = {
    expires: milliseconds(options.expires ?? "24 hours"),
    wait: milliseconds(options.wait ?? "10 seconds"),
    lease: milliseconds(options.lease ?? "30 seconds")
  }
  check(times)
  const limit = options.answerLimit === undefined ? ByteSize.mebibytes(1) : ByteLimit.parse(options.answerLimit)
  const rules: Rules = { isKept, limit: Number(limit), classes: known(options.errors ?? []) }
  const memories = new WeakMap<object, Flights.Flights<SE, SR>>()
  return perServer(memories, () => Flights.make<SE, SR>(options.store ?? RecordStore.memory(), times, rules))
}

const check = ({ expires, lease }: { readonly expires: number; readonly lease: number }): void => {
  const text = (milliseconds: number) => Duration.format(Duration.millis(milliseconds))
  if (lease < 100) {
    const why = `a lease of ${text(lease)} is below 100ms; a live process would lose its claims`
    throw new TypeError(`Idempotency.make: ${why}. Give one as "30 seconds"`)
  }
  if (expires < 1000) {
    throw new TypeError(`Idempotency.make: answers would be kept for ${text(expires)}; give a time as "24 hours"`)
  }
}

// Those say "not as who you are" or "not now": the same request may well succeed later.
const again: ReadonlySet<number> = new Set([401, 403, 407, 408, 425, 429])
const isKept = (status: number): boolean => status < 500 && !again.has(status)

const missing = () =>
  new KeyInvalid({ text: "This request needs an Idempotency-Key: a text that is new for each, as a UUID" })
const malformed = () =>
  new KeyInvalid({ text: "The Idempotency-Key is malformed: one text of up to 255 characters, in quotes or without" })
