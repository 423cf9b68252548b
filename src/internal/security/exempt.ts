/**
 * Routes that a middleware leaves alone.
 *
 * ```ts
 * const isExempt = compile(["/health", "/hooks/{id}"])
 * ```
 *
 * By the path of the route as it is declared, with the prefixes of its mounts: no spelling of a request's path, as "/hooks/../admin",
 * makes it another route.
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { RouteContext } from "../../Handler.ts"

/** Paths of routes as they are declared, mounts included ("/api/hooks/{id}"), or a predicate. */
export type Exempt = ReadonlyArray<string> | ((request: HttpServerRequest) => boolean)

/** Compiles it. Throws a TypeError for a path that no route has. */
export const compile = (
  exempt: Exempt | undefined
): ((request: HttpServerRequest, route: RouteContext["Service"]) => boolean) => {
  if (exempt === undefined) return () => false
  if (typeof exempt === "function") return exempt
  const bad = exempt.find((path) => !path.startsWith("/") || path.includes("*"))
  if (bad !== undefined) {
    throw new TypeError(
      `${JSON.stringify(bad)} is the path of no route; write it as it is declared, as "/hooks/{id}", with the prefixes of its mounts`
    )
  }
  const paths = new Set(exempt)
  // Without a name it is what was not found, whose path is the request's own
  return (_, { name, path }) => name !== "" && paths.has(path === "" ? "/" : path)
}
