/**
 * Policies: what a route says of its life, as a middleware that knows its name and its value.
 *
 * ```ts
 * const timeout = make("timeout", Duration.seconds(5), middleware) // route.pipe(timeout), App.policy(timeout)
 * ```
 *
 * Of two with one name the nearer holds: that of a route in place of that of its app. They are for routes: what is not found has none.
 */
import type * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import type * as Middleware from "../../Middleware.ts"
import type { Any, Route } from "../../Route.ts"
import type { Priority } from "./priority.ts"

/** The policies that hold for a route, by their names. */
export interface Policies {
  readonly bodyLimit?: ByteSize.ByteSize
  readonly concurrency?: { readonly limit: number; readonly queue: number; readonly wait: Duration.Duration }
  readonly onDisconnect?: "interrupt" | "finish" | FinishWithin
  readonly onDrain?: "await" | "notify" | "interrupt"
  readonly priority?: Priority
  readonly timeout?: Duration.Duration
  readonly transactional?: true
}

/** What goes on for a while after the client has left. */
export interface FinishWithin {
  readonly finishWithin: Duration.Duration
}

/** A policy: it adds the failures E2 and the needs R2. For a route in a pipe, and for all routes of an app by `App.policy`. */
export interface Policy<out E2 = never, out R2 = never> {
  <Path extends string, E, R, I, O>(route: Route<Path, E, R, I, O>): Route<Path, E | E2, R | R2, I, O>
  readonly middleware: Middleware.Middleware<never, E2, R2>
}

const symbol = Symbol("effect-web/policy")

interface Declared {
  readonly name: keyof Policies
  readonly value: Policies[keyof Policies]
  /** It changes no handler: the engine asks for it. */
  readonly isPlain: boolean
}

type Marked = object & { readonly [symbol]?: Declared }
type List = ReadonlyArray<Middleware.Middleware<never, unknown, unknown, never>>

/** Makes a policy; without a middleware, one that the engine asks for. */
export const make = <K extends keyof Policies, E2 = never, R2 = never>(
  name: K,
  value: NonNullable<Policies[K]>,
  middleware?: Middleware.Middleware<never, E2, R2>,
  errors: ReadonlyArray<Middleware.ErrorClass> = []
): Policy<E2, R2> => {
  const wrap = middleware ?? ((handler: unknown) => handler)
  const marked = Object.assign((handler: never) => wrap(handler), {
    errors,
    [symbol]: { name, value, isPlain: middleware === undefined }
  }) as unknown as Middleware.Middleware<never, E2, R2>
  const apply = (route: Any): Any =>
    Object.assign(Object.create(Object.getPrototypeOf(route)), route, {
      middleware: append(route.middleware, marked, `The route "${route.path}"`)
    })
  return Object.assign(apply, { middleware: marked }) as unknown as Policy<E2, R2>
}

/** Adds a middleware. Throws a TypeError for a policy whose name is there already. */
export const append = (all: List, one: List[number], owner: string): List => {
  const name = declared(one)?.name
  if (name !== undefined && all.some((each) => declared(each)?.name === name)) {
    throw new TypeError(`${owner} has the policy "${name}" already; remove one of the two`)
  }
  return [...all, one]
}

/** The policies among the middleware, over those that hold around them. */
export const over = (outer: Policies, all: List): Policies => {
  const own = all.flatMap((each) => declared(each) ?? [])
  return own.length === 0 ? outer : { ...outer, ...Object.fromEntries(own.map(({ name, value }) => [name, value])) }
}

/**
 * Of middleware, the outermost first, what is to be applied; `taken` has the names of the policies that are set nearer to a handler, and
 * gets those of these. No policy is, where it is undefined, and none that the engine asks for.
 */
export const applied = (all: List, taken: Set<string> | undefined): List => {
  const held = all.filter((each) => {
    const policy = declared(each)
    return policy === undefined || (taken !== undefined && !policy.isPlain && !taken.has(policy.name))
  })
  for (const each of all) taken?.add(declared(each)?.name ?? "")
  return held
}

const declared = (middleware: Marked): Declared | undefined => middleware[symbol]
