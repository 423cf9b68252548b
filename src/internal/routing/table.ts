/**
 * The table of an app's routes as rows, and the functions that build their URLs.
 *
 * ```ts
 * rows(app) // [{ name: "admin.user", method: "GET", path: "/admin/users/{id}", ... }]
 * ```
 */
import type * as App from "../../App.ts"
import * as Pattern from "../../http/Pattern.ts"
import * as Query from "../../http/Query.ts"
import type * as Route from "../../Route.ts"
import * as ByteLimit from "../byteLimit.ts"
import { over, type Policies } from "../policies/policy.ts"

/** A route in the table. `host` is undefined for every host; the method is "*" for any. */
export interface Row {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly host: string | undefined
  readonly route: Route.Any | undefined
  /** The policies that hold for it, those of its apps included. */
  readonly policies: Policies
}

/** Functions by the names of the routes; those of a mounted app are nested under the mount's name. */
export type Urls<T> = { readonly [K in keyof T]: UrlOf<T[K], ""> }

/** Builds a URL; `query` is appended, a name with an array several times, undefined not at all. */
export type UrlOf<T, Prefix extends string> =
  T extends Route.Route<infer Path, unknown, unknown>
    ? Url<Pattern.ParamName<`${Prefix}${Path}`>>
    : T extends Route.MountedHandler<infer Path, unknown, unknown>
      ? Url<Pattern.ParamName<`${Prefix}${Path}`>>
      : T extends Route.Mount<infer Path, infer A>
        ? { readonly [K in keyof A["routes"]]: UrlOf<A["routes"][K], `${Prefix}${Path}`> }
        : T extends Route.Host<infer A>
          ? { readonly [K in keyof A["routes"]]: UrlOf<A["routes"][K], ""> }
          : never

/** The parameters of a path that has none. */
export interface NoParams {
  readonly [name: string]: never
}

type Url<Names extends string> = [Names] extends [never]
  ? (params?: NoParams, options?: UrlOptions) => string
  : (params: { readonly [K in Names]: string | number }, options?: UrlOptions) => string

/** The query of a URL and its fragment. */
export interface UrlOptions {
  readonly query?: {
    readonly [name: string]: string | number | boolean | ReadonlyArray<string | number | boolean> | undefined
  }
  readonly hash?: string
}

const entries = (app: App.Any) => Object.entries(app.routes as unknown as Readonly<Record<string, Route.AnyEntry>>)

/** All routes, mounted apps included, in the order of declaration. */
export const rows = (app: App.Any): ReadonlyArray<Row> =>
  below(app, { prefix: "", names: [], host: undefined, policies: {} })

interface Place {
  readonly prefix: string
  readonly names: ReadonlyArray<string>
  readonly host: string | undefined
  readonly policies: Policies
}

const below = (app: App.Any, { prefix, names, host, policies }: Place): ReadonlyArray<Row> => {
  const { bodyLimit } = app.options
  const limit = bodyLimit === undefined ? undefined : { bodyLimit: ByteLimit.parse(bodyLimit) }
  const own = over({ ...policies, ...limit }, app.middleware)
  return entries(app).flatMap(([key, entry]): ReadonlyArray<Row> => {
    const inner = [...names, key]
    const name = inner.join(".")
    if (entry._tag === "Host") return below(entry.app, { prefix: "", names: inner, host: entry.host, policies: own })
    const path = prefix + entry.path
    const trimmed = path.replace(/\/+$/, "")
    if (entry._tag === "Mount") return below(entry.app, { prefix: trimmed, names: inner, host, policies: own })
    if (entry._tag === "MountedHandler") {
      return [{ name, method: "*", path: `${trimmed}/...`, host, route: undefined, policies: own }]
    }
    const held = over(own, entry.middleware)
    return Object.keys(entry.handlers).map((method) => ({
      name,
      method,
      path: path || "/",
      host,
      route: entry,
      policies: held
    }))
  })
}

/** The functions of `App.urls`. */
export const urls = (app: App.Any, prefix = ""): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    entries(app).map(([key, entry]) => {
      if (entry._tag === "Host") return [key, urls(entry.app)]
      if (entry._tag === "Mount") return [key, urls(entry.app, prefix + entry.path.replace(/\/+$/, ""))]
      const path = prefix + entry.path
      return [key, url((entry._tag === "Route" ? path : path.replace(/\/+$/, "")) || "/")]
    })
  )

const url = (path: string) => {
  const pattern = Pattern.parse(path)
  return (params: Readonly<Record<string, string | number>> = {}, options: UrlOptions = {}): string => {
    const query = options.query === undefined ? "" : Query.format(options.query)
    const hash = options.hash === undefined ? "" : `#${encodeURIComponent(options.hash)}`
    return `${Pattern.build(pattern, params)}${query === "" ? "" : `?${query}`}${hash}`
  }
}
