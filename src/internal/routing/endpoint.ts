/**
 * A handler inside of what is around it: its middleware, and the answer to its failures.
 *
 * ```ts
 * const endpoint = inside(owner, handler, route.middleware)
 * ```
 *
 * The onion is composed here, once: app by app from the outside in, then the route's own middleware, then its handler.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { isHttpServerResponse } from "effect/http/HttpServerResponse"
import * as References from "effect/References"
import type * as App from "../../App.ts"
import * as ErrorResponse from "../../ErrorResponse.ts"
import { type Handler, RouteContext } from "../../Handler.ts"
import * as Passage from "../exchange/passage.ts"
import * as Policy from "../policies/policy.ts"
import type * as Preflight from "../security/preflight.ts"
import * as Direct from "./direct.ts"

type AnyHandler = Handler<unknown, unknown>
type AnyMiddleware = App.Any["middleware"][number]

/** What surrounds a handler: the middleware of the apps around it, and what they say of failures and of other paths. */
export interface Owner {
  /** The outermost first. */
  readonly middleware: ReadonlyArray<AnyMiddleware>
  readonly renderer: ErrorResponse.Renderer
  readonly normalizePath: boolean
  /** What answers its preflights: the CORS policy that stands nearest to it. */
  readonly preflight: Preflight.Policy | undefined
  /** The policies that hold, those of the apps around it included. */
  readonly policies: Policy.Policies
}

/** A handler in its middleware. */
export interface Endpoint extends Owner {
  readonly handler: AnyHandler
  /** The handler with every failure answered. */
  readonly answer: Handler<never, unknown>
  /** How the handler is called where it needs no fiber, and what is around it then; undefined where that takes an effect. */
  readonly direct: { readonly call: Direct.Direct; readonly steps: ReadonlyArray<Passage.Step> } | undefined
}

// Steps that follow one another are gone through as one.
const onion = (middleware: ReadonlyArray<AnyMiddleware>, own: AnyHandler): AnyHandler => {
  let handler = own
  let row: ReadonlyArray<Passage.Step> = []
  for (const each of middleware.toReversed()) {
    const step = Passage.stepOf(each)
    if (step === undefined) handler = each(Passage.through(row, handler))
    row = step === undefined ? [] : [step, ...row]
  }
  return Passage.through(row, handler)
}

/** A handler inside its owner; for a route with its own middleware, and with the policies of the apps around it. */
export const inside = (owner: Owner, own: AnyHandler, ofRoute?: ReadonlyArray<AnyMiddleware>): Endpoint => {
  const { middleware, normalizePath, policies, preflight, renderer } = owner
  const taken = ofRoute && new Set<string>()
  const near = Policy.applied(ofRoute?.toReversed() ?? [], taken)
  const far = Policy.applied(middleware, taken)
  const steps = [...far, ...near].map(Passage.stepOf)
  const isPlain = !steps.includes(undefined)
  const handler = isPlain && far.length + near.length === 0 ? own : onion(far, noted(onion(near, own)))
  const call = isPlain ? Direct.of(own) : undefined
  const direct = call && { call, steps: steps as ReadonlyArray<Passage.Step> }
  const answer = answered(handler, renderer)
  return { handler, answer, direct, middleware, normalizePath, policies, preflight, renderer }
}

/** A handler with every failure answered. */
export const answered = (handler: AnyHandler, renderer: ErrorResponse.Renderer): Handler<never, unknown> =>
  Effect.catchCause(Effect.interruptible(handler), (cause) =>
    Effect.withFiber((fiber) => {
      const request = Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest)
      const annotations = notes.get(Context.getUnsafe(fiber.context, RouteContext))
      const answer = ErrorResponse.answer(cause, request, renderer)
      return annotations === undefined ? answer : Effect.annotateLogs(answer, annotations)
    })
  )

// What middleware had annotated when a handler failed, by its request: failures are logged outside of all middleware.
const notes = new WeakMap<object, Readonly<Record<string, unknown>>>()

/** A handler for inside of middleware: what is no response must not reach what changes responses. */
export const noted = (handler: AnyHandler): AnyHandler =>
  Effect.matchCauseEffect(handler, {
    onSuccess: (response) =>
      isHttpServerResponse(response) ? Exit.succeed(response) : Exit.failCause(noResponse(response)),
    onFailure: (cause) =>
      Effect.withFiber((fiber) => {
        notes.set(Context.getUnsafe(fiber.context, RouteContext), fiber.getRef(References.CurrentLogAnnotations))
        return Effect.failCause(cause)
      })
  })

/** The defect of a handler that gave something else than a response. */
export const noResponse = (given: unknown): Cause.Cause<never> => {
  const what = given === null || typeof given !== "object" ? String(given) : (given.constructor?.name ?? "an object")
  return Cause.die(new TypeError(`A handler has to give a response, not ${what}; return one made by Response`))
}
