/**
 * Which file below its root a request asks for, wherever the handler is mounted.
 *
 * ```ts
 * Route.mountHandler("/static", files) // GET /static/css/app.css: "css/app.css"
 * Route.get("/static/{path:.*}", files) // the same
 * ```
 */
import * as Context from "effect/Context"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import { RouteContext } from "../../Handler.ts"
import * as target from "../requests/target.ts"
import { toLocation } from "../responses/responseHead.ts"

/** The path below the root as on the wire, without a slash before it. */
export const pathOf = (request: HttpServerRequest, context: Context.Context<never>): string => {
  const path = plainPath(request.url)
  const route = Context.getOption(context, RouteContext)
  const depth = Option.isNone(route) ? 0 : depthOf(route.value.path)
  let at = 1
  for (let left = depth; left > 0 && at > 0; left--) at = path.indexOf("/", at) + 1
  return at === 0 ? "" : path.slice(at)
}

// Nearly every target is a path, and it may have a query.
const plainPath = (url: string): string =>
  url[0] === "/" && !url.includes("?") && !url.includes("#") ? url : target.split(url).path

// How many segments stand before a catch-all at the end; a mounted handler is given the rest only.
const depthOf = (pattern: string): number => {
  const tail = /\/\{\w+:\.[*+]\}$/.exec(pattern)
  return tail === null ? 0 : pattern.slice(0, tail.index).split("/").length - 1
}

/** Whether the request names a directory as one names a file: the prefix of a mounted handler is stripped to "/". */
export const lacksSlash = (request: HttpServerRequest): boolean => !target.split(request.originalUrl).path.endsWith("/")

/** The same URL with a slash behind its path; never one that leads to another host. */
export const withSlash = (request: HttpServerRequest): string => {
  const { path, search } = target.split(request.originalUrl)
  const local = path.replace(/^[/\\]+/, "/").replaceAll("\\", "%5C")
  return toLocation(`${local}/${search === "" ? "" : `?${search}`}`)
}

/**
 * The version that a URL asks for: its `v`, as `url` of StaticFiles writes it. Another `v` is none: to compare it a large file would be
 * read whole, and `?v=2` is what many write by hand.
 */
export const versionOf = (request: HttpServerRequest): string | undefined =>
  /[?&]v=([\w-]{22})(?:[&#]|$)/.exec(request.url)?.[1]
