/**
 * What a CORS preflight asks for: the route that would take the method, and the policy that holds there.
 *
 * ```ts
 * of(route)?.("PUT") // { taken: false, allowed: ["GET", "HEAD", "OPTIONS"] }
 * ```
 *
 * The router knows the answer, so no handler runs for a preflight: a login in front of it would refuse what carries no credentials.
 *
 * @spec WHATWG Fetch §3.3.2, §3.3.7
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Request from "effect/http/HttpServerRequest"
import { type Handler, RouteContext } from "../../Handler.ts"

/** Answers the preflight of a route; `method` is what is asked for, and some route takes it. */
export type Policy = (request: HttpServerRequest, method: string) => Handler<unknown, unknown>

/** What takes a method, with its innermost policy; or the methods of the path where no route takes it. */
export type Lookup = (
  method: string
) =>
  | { readonly taken: true; readonly policy: Policy | undefined }
  | { readonly taken: false; readonly allowed: ReadonlyArray<string> }

const symbol = Symbol("effect-web/preflight")

/** Marks a middleware as one that has a policy. */
export const mark = <A extends object>(middleware: A, policy: Policy): A =>
  Object.assign(middleware, { [symbol]: policy })

/** The policy of the innermost of the middleware that has one. */
export const policyOf = (all: ReadonlyArray<object & { readonly [symbol]?: Policy }>): Policy | undefined =>
  all.find((each) => each[symbol] !== undefined)?.[symbol]

const lookups = new WeakMap<object, Lookup>()

/** Notes what the router knows, by the context of the request's target. */
export const note = (route: object, lookup: Lookup): void => {
  lookups.set(route, lookup)
}

/** What the router knows of a request; undefined for a path that is not found, and for any method but OPTIONS. */
export const of = (route: object): Lookup | undefined => lookups.get(route)

/** The method that a preflight asks for; undefined when the request is none. */
export const asked = ({ headers, method }: HttpServerRequest): string | undefined =>
  method === "OPTIONS" && headers.origin !== undefined ? headers["access-control-request-method"] : undefined

/** The answer to OPTIONS that comes with a path: to a preflight that of the route's own policy, where it has one. */
export const orElse = (plain: Handler): Handler =>
  Effect.withFiber((fiber) => {
    const request = Context.getUnsafe(fiber.context, Request.HttpServerRequest)
    const method = asked(request)
    const found = method === undefined ? undefined : of(Context.getUnsafe(fiber.context, RouteContext))?.(method)
    const policy = found?.taken === true ? found.policy : undefined
    return policy === undefined ? plain : (policy(request, method as string) as Handler)
  })
