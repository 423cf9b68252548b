/**
 * Whether a cookie is Secure: always, but for http to this machine.
 *
 * ```ts
 * isSecure(request) // true for http to shop.example: a proxy in front ends TLS there, and if none does, no cookie is better
 * ```
 *
 * @spec RFC 6265bis §4.1.2.5; RFC 6761 §6
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { host, protocol } from "../requests/target.ts"

/** Whether a cookie that is set in answer to a request is Secure. */
export const isSecure = (request: HttpServerRequest): boolean =>
  protocol(request) === "https" || !isLocal(host(request))

// The same host comes again and again.
let last = ""
let lastIsLocal = false

// Names and addresses that no proxy for others is reached by.
const isLocal = (host: string): boolean => {
  if (host !== last) {
    last = host
    lastIsLocal = local.test(host)
  }
  return lastIsLocal
}

const local = /^(?:(?:[^:]+\.)?(?:localhost|test)|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/
