/**
 * An upstream server's answer as the response of a proxy.
 *
 * ```ts
 * const response = toResponse(incoming, "GET", "edge")
 * ```
 *
 * The body is as it came, its content coding too, and every Set-Cookie is a line of its own, as it was.
 *
 * @spec RFC 9110 §7.6, §15.2; RFC 9112 §6
 */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { type Connection, takeover } from "../exchange/takeover.ts"
import { markForwarded } from "../responses/conditionalResponse.ts"
import { isFieldValue } from "../responses/responseHead.ts"
import * as ProxyCookies from "./cookies.ts"
import { connectionOptions, hopByHop, via } from "./fields.ts"
import type { Incoming } from "./transport.ts"

type Response = HttpServerResponse.HttpServerResponse
type Value = string | ReadonlyArray<string>

const lines = (value: Value): ReadonlyArray<string> => (typeof value === "string" ? [value] : value)

/** The response, or what is wrong with the answer. `name` is that of the proxy. */
export const toResponse = (incoming: Incoming, method: string, name: string): Response | Error => {
  const { headers, status, tunnel } = incoming
  if (tunnel === undefined && (status < 200 || status > 599)) return new Error(`The status is ${status}`)
  const coding = headers["transfer-encoding"]
  if (coding !== undefined && String(coding).toLowerCase() !== "chunked") {
    return new Error(`The transfer coding is "${coding}"`)
  }
  const fields = fieldsOf(incoming, name)
  if (fields instanceof Error) return fields
  if (tunnel !== undefined) {
    const own = Object.entries(fields).flatMap(([name, value]) => lines(value).map((line) => [name, line] as const))
    const run = (connection: Connection) => tunnel(connection, [...own, ...connection.headers])
    return takeover(run, { protocol: String(headers.upgrade), watches: true })
  }
  const response = ordinary(incoming, method, fields)
  markForwarded(response)
  return response
}

// What an answer passes on. Fields that come several times are one list (RFC 9110 §5.3), but for cookies.
const fieldsOf = ({ headers, status }: Incoming, proxy: string): Record<string, Value> | Error => {
  const fields: Record<string, Value> = {}
  const named = connectionOptions(headers.connection === undefined ? undefined : String(headers.connection))
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || hopByHop.has(name) || named?.has(name) === true) continue
    const joined = typeof value === "string" ? value : value.join(", ")
    if (!isFieldValue(joined)) return new Error(`The header "${name}" has a character that no header can carry`)
    fields[name] = name === "set-cookie" ? value : joined
  }
  // Which protocols there are to change to is said for this hop, but no other will say it (§15.5.22).
  if ((status === 101 || status === 426) && headers.upgrade !== undefined) {
    fields.connection = "upgrade"
    fields.upgrade = String(headers.upgrade)
  }
  const length = fields["content-length"]
  if (length !== undefined && headers["transfer-encoding"] !== undefined) delete fields["content-length"]
  else if (length !== undefined && !isLength(String(length))) return new Error(`Content-Length is "${length}"`)
  fields.via = via(fields.via as string | undefined, "1.1", proxy)
  return fields
}

// Above, bytes cannot be counted, and digits would be lost on the way.
const isLength = (value: string): boolean => /^\d+$/.test(value) && Number.isSafeInteger(Number(value))

const ordinary = (incoming: Incoming, method: string, fields: Record<string, Value>): Response => {
  const { "set-cookie": set, ...headers } = fields
  const { cookies, others } = set === undefined ? noCookies : ProxyCookies.read(lines(set))
  const { status, statusText } = incoming
  // Cookies are the only field that is not text.
  const options = { status, statusText: phrase(statusText), headers: headers as Record<string, string>, cookies }
  const response = withBody(incoming, method, options)
  // The headers are nobody else's yet. Where there is no type none is made up; several lines are nothing that the type of headers
  // knows, but the engine writes them.
  const written = response.headers as Record<string, Value>
  if (headers["content-type"] === undefined) delete written["content-type"]
  if (others.length > 0) written["set-cookie"] = others
  return response
}

const withBody = ({ body, status }: Incoming, method: string, options: HttpServerResponse.Options): Response => {
  if (method === "HEAD" || status === 204 || status === 304) return HttpServerResponse.stream(Stream.empty, options)
  return body instanceof Uint8Array
    ? HttpServerResponse.uint8Array(body, options)
    : HttpServerResponse.stream(body, options)
}

const noCookies = { cookies: undefined, others: [] }

const phrase = (text: string | undefined): string | undefined =>
  text !== undefined && text !== "" && isFieldValue(text) ? text : undefined
