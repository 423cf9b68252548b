/**
 * Where an API key stands in a request.
 *
 * ```ts
 * make({ header: "x-api-key" }).read(request) // ["k-ada"]
 * ```
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Cookie from "../../http/Cookie.ts"
import * as Query from "../../http/Query.ts"
import * as Syntax from "../../http/Syntax.ts"
import * as target from "../requests/target.ts"

/** A header field, a parameter of the query, or a cookie. */
export type Place = { readonly header: string } | { readonly query: string } | { readonly cookie: string }

const readers = {
  header: (request: HttpServerRequest, name: string) => [request.headers[name] ?? ""],
  query: (request: HttpServerRequest, name: string) => Query.parse(target.split(request.url).search).getAll(name),
  cookie: (request: HttpServerRequest, name: string) => [Cookie.parse(request.headers.cookie)[name] ?? ""]
}

/** What the place is called, and how it is read. Throws a TypeError when the name is none. */
export const make = (place: Place) => {
  const [kind, name] =
    "header" in place
      ? (["header", place.header.toLowerCase()] as const)
      : "query" in place
        ? (["query", place.query] as const)
        : (["cookie", place.cookie] as const)
  if (kind === "query" ? name === "" : !Syntax.isToken(name)) {
    throw new TypeError(`Auth.apiKey: "${name}" is no name of a ${kind}; give one, as { header: "x-api-key" }`)
  }
  const vary = kind === "header" ? [name] : kind === "cookie" ? ["cookie"] : []
  return { kind, name, vary, read: (request: HttpServerRequest): ReadonlyArray<string> => readers[kind](request, name) }
}
