/**
 * An app and the apps below it as one list of entries for the router, each handler inside its middleware.
 *
 * ```ts
 * Router.make(flatten(app, enter(app, outermost(ErrorResponse.render)), true))
 * ```
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as Scope from "effect/Scope"
import type * as App from "../../App.ts"
import type * as ErrorResponse from "../../ErrorResponse.ts"
import type { Handler } from "../../Handler.ts"
import * as HttpError from "../../HttpError.ts"
import * as Pattern from "../../http/Pattern.ts"
import type * as Route from "../../Route.ts"
import type * as Router from "../../Router.ts"
import * as ByteLimit from "../byteLimit.ts"
import * as Starting from "../lifecycle/starting.ts"
import * as Policy from "../policies/policy.ts"
import * as Preflight from "../security/preflight.ts"
import { type Endpoint, inside, type Owner } from "./endpoint.ts"
import * as Shape from "./routeShape.ts"

type AnyHandler = Handler<unknown, unknown>

/** An entry of the router. */
export type Entry = Router.Entry<Endpoint>

/** Where an app stands: below which path and names, and inside what. */
export interface Frame extends Owner {
  readonly prefix: Pattern.Pattern
  readonly names: ReadonlyArray<string>
  /** Builds the mounted layers. */
  readonly builds: Array<Effect.Effect<void, never, Scope.Scope>>
}

/** The frame around the root app. */
export const outermost = (renderer: ErrorResponse.Renderer): Frame => ({
  prefix: Pattern.parse(""),
  names: [],
  middleware: [],
  renderer,
  normalizePath: false,
  preflight: undefined,
  policies: {},
  builds: []
})

/** The frame inside an app: its middleware and its options. */
export const enter = (app: App.Any, outer: Frame): Frame => {
  const { bodyLimit, errorResponse, normalizePath } = app.options
  const limit = bodyLimit === undefined ? undefined : ByteLimit.parse(bodyLimit)
  return {
    ...outer,
    renderer: errorResponse ?? outer.renderer,
    normalizePath: normalizePath ?? outer.normalizePath,
    preflight: Preflight.policyOf(app.middleware) ?? outer.preflight,
    policies: Policy.over(
      limit === undefined ? outer.policies : { ...outer.policies, bodyLimit: limit },
      app.middleware
    ),
    middleware: [
      ...outer.middleware,
      ...(limit === undefined ? [] : [ByteLimit.declare(limit)]),
      ...app.middleware.toReversed()
    ]
  }
}

/** Fails with 404; one failure for all, for making an error costs more than the rest of the answer. It cannot be changed. */
export const notFound = Effect.fail(Object.freeze(new HttpError.NotFound()))

// Entry hides the tags from the types of tables.
const entriesOf = (app: App.Any) => Object.entries(app.routes as unknown as Readonly<Record<string, Route.AnyEntry>>)

/** The apps for hosts of a root app, by their names. */
export const hostsOf = (app: App.Any): ReadonlyArray<readonly [name: string, Route.Host<App.Any>]> =>
  entriesOf(app).filter((entry): entry is [string, Route.Host<App.Any>] => entry[1]._tag === "Host")

/**
 * The entries of an app in the order of declaration; an app mounted at "/" ends behind all of them. Throws a TypeError for a host
 * that is not in the root.
 */
export const flatten = (app: App.Any, frame: Frame, isRoot: boolean): ReadonlyArray<Entry> => {
  const all = entriesOf(app).flatMap(([key, entry]): ReadonlyArray<Entry> => {
    const inner = { ...frame, names: [...frame.names, key] }
    if (entry._tag === "Route") return routes(entry, inner)
    if (entry._tag === "Mount") return mounted(entry.app, { ...inner, prefix: below(frame, entry) })
    if (entry._tag === "MountedHandler") return foreign(entry, inner)
    if (isRoot) return []
    const name = inner.names.join(".")
    throw new TypeError(`The host "${entry.host}" ("${name}") is inside another app; declare hosts in the root app`)
  })
  const ends = all.filter((entry) => entry.boundary && endsAt(frame.prefix)(entry))
  const others = all.filter((entry) => !ends.includes(entry))
  return others.some(endsAt(frame.prefix)) ? others : [...others, ...ends.slice(0, 1)]
}

// Nothing is left for a boundary there.
const endsAt = (prefix: Pattern.Pattern) => (entry: Entry) =>
  (entry.boundary === true || entry.subtree === true) && entry.pattern.path === prefix.path

const below = ({ prefix }: Frame, { path }: { readonly path: string }): Pattern.Pattern =>
  Pattern.join(prefix, Pattern.parse(path.replace(/\/+$/, "")))

const routes = ({ handlers, middleware, path }: Route.Any, frame: Frame): ReadonlyArray<Entry> => {
  for (const handler of Object.values(handlers)) starts(handler, frame)
  const pattern = Pattern.join(frame.prefix, Pattern.parse(path))
  const owner = {
    ...frame,
    preflight: Preflight.policyOf(middleware) ?? frame.preflight,
    policies: Policy.over(frame.policies, middleware)
  }
  return Object.entries(handlers).map(([method, handler]) => ({
    name: frame.names.join("."),
    pattern,
    methods: method === "*" ? undefined : [method],
    value: inside(owner, handler, middleware)
  }))
}

const mounted = (app: App.Any, frame: Frame): ReadonlyArray<Entry> => {
  const inner = enter(app, frame)
  const all = flatten(app, inner, false)
  const { names, prefix: pattern } = frame
  if (all.some(endsAt(pattern))) return all
  return [
    ...all,
    { name: names.join("."), pattern, methods: undefined, boundary: true, value: inside(inner, notFound) }
  ]
}

const starts = (handler: AnyHandler, { builds }: Frame): void => {
  const starting = Starting.of(handler)
  if (starting !== undefined) builds.push(starting)
}

// A foreign handler takes its prefix and everything below, and sees the rest of the path.
const foreign = (entry: Route.MountedHandler<string, unknown, unknown>, frame: Frame): ReadonlyArray<Entry> => {
  const name = frame.names.join(".")
  const pattern = below(frame, entry)
  const { segments, tail } = Shape.shape(pattern, false)
  if (tail !== "none") {
    const cure = `keep its regex from matching "/", as [^/]+ does`
    throw new TypeError(`The prefix "${pattern.path}" of the handler "${name}" may span several segments; ${cure}`)
  }
  starts(entry.handler, frame)
  let built = entry.handler
  if (entry.build !== undefined) {
    const build = entry.build as Effect.Effect<AnyHandler, never, Scope.Scope>
    frame.builds.push(
      Effect.map(build, (handler) => {
        built = handler
      })
    )
  }
  const handler = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const stripped = request.modify({ url: rest(request.url, segments.length) })
    return Effect.provideService(built, HttpServerRequest.HttpServerRequest, stripped)
  })
  const whole = { name, pattern, methods: undefined, value: inside(frame, handler, []) }
  // The prefix itself is a fixed path, which beats patterns.
  return pattern.fixed === undefined || pattern.path === ""
    ? [{ ...whole, subtree: true }]
    : [whole, { ...whole, subtree: true }]
}

// The path without its first segments, with its query.
const rest = (url: string, depth: number): string => {
  const end = url.search(/[?#]|$/)
  const segments = url.slice(0, end).split("/")
  return `/${segments.slice(depth + 1).join("/")}${url.slice(end)}`
}
