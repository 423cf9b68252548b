/**
 * Gives a handler its session, and saves it when the handler has ended.
 *
 * ```ts
 * const middleware = Passage.middleware(step(plan, Visit))
 * ```
 *
 * For a request that does not ask for its session all this is two services and a look.
 *
 * @spec RFC 9111 §3.5, §5.2.2; RFC 6265bis §5.4
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpEffect from "effect/http/HttpEffect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Predicate from "effect/Predicate"
import type { Handler } from "../../Handler.ts"
import type * as Passage from "../exchange/passage.ts"
import * as Overlay from "../responses/overlay.ts"
import { SessionBinding } from "./binding.ts"
import { type Cookie, commit, isDue } from "./commit.ts"
import { Handle } from "./handle.ts"
import { Live, type Plan } from "./live.ts"

/** Gives handlers their session of a kind. */
export const step =
  (plan: Plan, service: Context.Key<unknown, unknown>): Passage.Step =>
  (passage) => {
    const live = new Live(plan, passage)
    passage.provide((outer) => services(live, service, outer))
    passage.ended((exit) => {
      live.over = true
      return Exit.isSuccess(exit) ? saving(live, exit) : failing(live, exit.cause)
    })
  }

const saving = (
  live: Live,
  answer: Exit.Success<HttpServerResponse, unknown>
): Handler<unknown, unknown> | undefined =>
  live.base === undefined ? undefined : Effect.flatMapEager(settle(live, true), () => answer)

const failing = (live: Live, cause: Cause.Cause<unknown>): Handler<unknown, unknown> | undefined => {
  if (live.failure !== undefined && isOf(cause, live.failure.error)) return Effect.fail(live.failure.error)
  if (live.base === undefined) return undefined
  // After a defect nobody knows what the changes are worth.
  const failed = cause.reasons.length > 0 && cause.reasons.every(Cause.isFailReason)
  return Effect.andThen(settle(live, failed), Effect.failCause(cause))
}

// Each service more makes every context below dearer: the binding carries its session along, for the one further in.
const sessions = Symbol("effect-web/Session")

const services = (
  live: Live,
  service: Context.Key<unknown, unknown>,
  context: Context.Context<never>
): Context.Context<never> => {
  const outer = Context.get(context, SessionBinding)
  const around: ReadonlyArray<Live> = Predicate.hasProperty(outer, sessions) ? (outer[sessions] as never) : none
  const { name } = live.plan.jar
  if (around.some(({ plan }) => plan.jar.name === name)) {
    const cure = 'give one of them another: Session.make(Visit, { cookie: { name: "visit" } })'
    throw new TypeError(`Two sessions around a handler have the cookie name "${name}"; ${cure}`)
  }
  const own = Effect.suspend(() =>
    around.length === 0 ? live.binding : Effect.zipWith(outer, live.binding, (outer, own) => outer + own)
  )
  const binding = Object.assign(own, { [sessions]: [...around, live] })
  return Context.add(Context.add(context, service, new Handle(live)), SessionBinding, binding)
}

const none: ReadonlyArray<Live> = []

const isOf = ({ reasons }: Cause.Cause<unknown>, error: unknown): boolean =>
  reasons.some((reason) => Cause.isDieReason(reason) && reason.defect === error)

// Saves, and has the answer say what is due, whatever it will be: that to a failure is made further out.
const settle = (live: Live, saves: boolean): Effect.Effect<void, unknown> =>
  Effect.flatMapEager(saves && isDue(live) ? saved(live) : nothing, (cookie) => {
    HttpEffect.appendPreResponseHandlerUnsafe(live.context, (_, response) =>
      Effect.succeed(answered(live, response, cookie))
    )
    return cookie !== undefined && live.plan.jar.isDoubtful(live.request) ? warned(live.plan) : Effect.void
  })

const told = new WeakSet<Plan>()
const warned = (plan: Plan): Effect.Effect<void> => {
  if (told.has(plan)) return Effect.void
  told.add(plan)
  return Effect.logWarning(
    "A session's cookie is Secure and its request came by http: browsers keep it only if a proxy in front speaks https to them. " +
      "If one does, trust it or say { cookie: { secure: true } }; if none does, { cookie: { secure: false } }"
  )
}

const nothing = Effect.succeed(undefined)

const saved = (live: Live): Effect.Effect<Cookie | undefined, unknown> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.catchCause(commit(live, restore), (cause) =>
      live.failure !== undefined && isOf(cause, live.failure.error)
        ? Effect.fail(live.failure.error)
        : Effect.failCause(cause)
    )
  )

const answered = ({ plan, request }: Live, response: HttpServerResponse, cookie: Cookie | undefined) => {
  // Nothing keeps a 101.
  const cached = response.status === 101 ? response : forCaches(response, cookie !== undefined)
  if (cookie === undefined) return cached
  return cookie === "expire"
    ? plan.jar.write(request, cached, undefined, undefined)
    : plan.jar.write(request, cached, cookie.value, cookie.maxAge)
}

// What is someone's own is not for others; a cache that keeps a cookie would even give it to them.
const forCaches = (response: HttpServerResponse, sets: boolean): HttpServerResponse => {
  const fields = Overlay.fieldsOf(response)
  Overlay.vary(fields, "Cookie")
  const control = fields["cache-control"]
  if (control === undefined) fields["cache-control"] = sets ? "no-store" : "private, no-cache"
  else if (sets && !/(?:^|[\s,])(?:no-store|private)(?:$|[\s,])/i.test(control)) fields["cache-control"] = "no-store"
  return Overlay.withFields(response, fields)
}
