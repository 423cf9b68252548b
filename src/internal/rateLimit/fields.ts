/**
 * The header fields that tell a client of its limits.
 *
 * ```ts
 * add({ name: "day", limit: 1000, window: 86_400, remaining: 12, reset: 3600 }, "standard")(response)
 * // RateLimit-Policy: "day";q=1000;w=86400
 * // RateLimit: "day";r=12;t=3600
 * ```
 *
 * @spec draft-ietf-httpapi-ratelimit-headers-10; -06 for `legacy`
 */
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Response from "effect/http/HttpServerResponse"

/** How far a limit is used up; times in seconds. */
export interface Quota {
  readonly name: string
  readonly limit: number
  readonly window: number
  readonly remaining: number
  readonly reset: number
}

/** Which fields: those of the current draft, those of the drafts before, or none. */
export type Kind = "standard" | "legacy" | "none"

/** Adds a quota to those that the response tells of. */
export const add =
  ({ limit, name, remaining, reset, window }: Quota, kind: Kind) =>
  (response: HttpServerResponse): HttpServerResponse => {
    if (kind === "none") return response
    const { headers } = response
    if (kind === "legacy") {
      // There is one of each: those of the limit that is nearest.
      if (Number(headers["ratelimit-remaining"] ?? Number.POSITIVE_INFINITY) <= remaining) return response
      return Response.setHeaders(response, {
        "ratelimit-limit": String(limit),
        "ratelimit-remaining": String(remaining),
        "ratelimit-reset": String(reset)
      })
    }
    return Response.setHeaders(response, {
      "ratelimit-policy": joined(headers["ratelimit-policy"], `"${name}";q=${limit};w=${window}`),
      ratelimit: joined(headers.ratelimit, `"${name}";r=${remaining};t=${reset}`)
    })
  }

const joined = (list: string | undefined, item: string): string => (list === undefined ? item : `${list}, ${item}`)
