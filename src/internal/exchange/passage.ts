/**
 * The passage of a request through middleware that does its part at once: plain functions on the way in, others on the answer's way out.
 *
 * ```ts
 * const middleware = Passage.middleware((passage) => {
 *   passage.answered((headers) => { headers["x-served-by"] = "me" })
 * })
 * ```
 *
 * Steps in a row are one effect in place of several, and around a plain handler the engine runs them without a fiber.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpEffect from "effect/http/HttpEffect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import { type Handler, RouteContext } from "../../Handler.ts"
import * as Overlay from "../responses/overlay.ts"

type AnyHandler = Handler<unknown, unknown>

/** A middleware's part when a request comes in; a handler that it gives stands in the place of the one inside. */
export type Step = (passage: Passage) => AnyHandler | undefined | void

/** Changes the header fields of an answer; those of a 101 too. Names in lower case, and only what a header can carry. */
export type Change = (headers: Record<string, string>, response: HttpServerResponse) => void

/** Is told how the handler inside ended, in a fiber; what it gives takes the place of that. */
export type End = (exit: Exit.Exit<HttpServerResponse, unknown>) => AnyHandler | undefined

/** A request on its way through a row of steps. */
export class Passage {
  readonly request: HttpServerRequest
  readonly route: RouteContext["Service"]
  /** The services around the steps. */
  outer: Context.Context<never>
  /** Whether what is inside has to wait for the fiber, and for what surrounds the steps in it. */
  needsFiber = false
  private inner: Context.Context<never> | undefined
  private provisions: Array<(context: Context.Context<never>) => Context.Context<never>> = none
  private changes: Array<Change> = none
  private ends: Array<End> = none
  private wraps: Array<(handler: AnyHandler) => AnyHandler> = none

  constructor(request: HttpServerRequest, route: RouteContext["Service"], outer: Context.Context<never>) {
    this.request = request
    this.route = route
    this.outer = outer
  }

  /** The services around the handler, from the steps too. */
  get context(): Context.Context<never> {
    this.inner ??= this.provisions.reduce((context, provide) => provide(context), this.outer)
    return this.inner
  }

  /** Gives services to what is inside. Called where they are needed, which is not without a fiber. */
  provide(provision: (context: Context.Context<never>) => Context.Context<never>): void {
    this.provisions = added(this.provisions, provision)
  }

  /** Changes the answer just before it is sent, whatever it is. */
  answered(change: Change): void {
    this.changes = added(this.changes, change)
  }

  /** Listens to the end of the handler, those further in before. Not called without a fiber, where no handler has used a service. */
  ended(end: End): void {
    this.ends = added(this.ends, end)
  }

  /** Puts an effect around all the steps, where there is a fiber. */
  surround(wrap: (handler: AnyHandler) => AnyHandler): void {
    this.wraps = added(this.wraps, wrap)
  }

  /** Goes through the steps, the outermost first, up to one that gives a handler. */
  enter(steps: ReadonlyArray<Step>): AnyHandler | undefined {
    try {
      for (const step of steps) {
        const instead = step(this)
        if (instead !== undefined) return instead as AnyHandler
      }
      return undefined
    } catch (defect) {
      return Effect.die(defect)
    }
  }

  /** The answer as the steps want it. */
  answer(response: HttpServerResponse): HttpServerResponse {
    if (this.changes.length === 0) return response
    const headers = Overlay.fieldsOf(response)
    for (const change of this.changes) change(headers, response)
    return Overlay.withFields(response, headers)
  }

  /** A handler inside of the steps that were entered, in a fiber with these services. */
  around(handler: AnyHandler, outer: Context.Context<never>): AnyHandler {
    this.outer = outer
    this.inner = undefined
    if (this.changes.length > 0) HttpEffect.appendPreResponseHandlerUnsafe(outer, this.last)
    const listened = this.ends.length === 0 ? handler : this.listened(handler, this.ends.length - 1)
    // Not `provideContext`, which merges: that takes longer than all the rest.
    const provided =
      this.provisions.length === 0 ? listened : Effect.updateContext(listened as Handler<unknown>, () => this.context)
    return this.wraps.reduceRight((inner, wrap) => wrap(inner), provided)
  }

  private readonly last: HttpEffect.PreResponseHandler = (_, response) => Effect.succeed(this.answer(response))

  private listened(handler: AnyHandler, from: number): AnyHandler {
    return Effect.matchCauseEffect(handler, {
      onSuccess: (response) => this.leave(Exit.succeed(response), from),
      onFailure: (cause) => this.leave(Exit.failCause(cause), from)
    })
  }

  // Tells the ends, the innermost first; one that gives an effect has the others wait for it.
  private leave(exit: Exit.Exit<HttpServerResponse, unknown>, from: number): AnyHandler {
    for (let index = from; index >= 0; index--) {
      const instead = this.ends[index]?.(exit)
      if (instead !== undefined) return index === 0 ? instead : this.listened(instead, index - 1)
    }
    return exit
  }
}

// Shared by all that have nothing, and never written to.
const none: Array<never> = []

const added = <A>(all: Array<A>, one: A): Array<A> => {
  if (all === none) return [one]
  all.push(one)
  return all
}

const symbol = Symbol("effect-web/step")

interface Stepping {
  readonly [symbol]?: Step
}

/** The middleware of a step: by itself, or in a row with others by `stepOf`. */
export const middleware = (step: Step): ((handler: AnyHandler) => AnyHandler) =>
  Object.assign((handler: AnyHandler) => through([step], handler), { [symbol]: step })

/** The step that a middleware is; undefined where it needs an effect. */
export const stepOf = (middleware: object & Stepping): Step | undefined => middleware[symbol]

/** A handler inside of steps, the first the outermost. */
export const through = (steps: ReadonlyArray<Step>, handler: AnyHandler): AnyHandler =>
  steps.length === 0
    ? handler
    : Effect.withFiber((fiber) => {
        const { context } = fiber
        const request = Context.getUnsafe(context, HttpServerRequest)
        const passage = new Passage(request, Context.getUnsafe(context, RouteContext), context)
        return passage.around(passage.enter(steps) ?? handler, context)
      })
