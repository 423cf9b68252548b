/**
 * The values of the security header fields: their grammar, their defaults, and what is refused when it is declared.
 *
 * ```ts
 * contentSecurity({ "img-src": ["'self'", "https://images.test"] })("abc") // "default-src 'self'; ...; script-src 'self' 'nonce-abc'; ..."
 * permissions({ camera: ["self"] })                                         // "camera=(self), geolocation=(), ..."
 * ```
 *
 * @spec CSP Level 3 §2.2, §2.3; RFC 6797 §6.1; Permissions Policy §5.2; RFC 9651
 */
import * as Duration from "effect/Duration"
import { isFieldValue } from "../responses/responseHead.ts"

/** Directives by their names. */
export type Directives = {
  readonly [K in Directive | (string & {})]?: string | ReadonlyArray<string> | boolean
}

type Directive =
  | `${"child" | "connect" | "default" | "font" | "frame" | "img" | "manifest" | "media" | "object" | "worker"}-src`
  | `${"script" | "style"}-src${"" | "-attr" | "-elem"}`
  | "base-uri"
  | "form-action"
  | "frame-ancestors"
  | "report-to"
  | "report-uri"
  | "require-trusted-types-for"
  | "sandbox"
  | "trusted-types"
  | "upgrade-insecure-requests"

/** Who may use features, by the names of these. */
export interface Permissions {
  readonly [feature: string]: "self" | "*" | ReadonlyArray<string> | false
}

/** What stands for the nonce of a request. */
const NONCE = "'nonce'"

const directives: Directives = {
  "default-src": "'self'",
  "base-uri": "'none'",
  "form-action": "'self'",
  "frame-ancestors": "'none'",
  "img-src": ["'self'", "data:"],
  "object-src": "'none'",
  "script-src": ["'self'", NONCE],
  "style-src": ["'self'", NONCE]
}

/** Compiles a policy over the usual one. Without a nonce its sources fall away; a list that then is empty is `'none'`. */
export const contentSecurity = (own: Directives): ((nonce: string | undefined) => string) => {
  const all = Object.entries({ ...directives, ...own }).flatMap(([name, value]) => {
    if (!/^[a-z]+(?:-[a-z]+)*$/.test(name)) throw new TypeError(`${quoted(name)} is no directive: write "script-src"`)
    if (value === false || value === undefined) return []
    const sources = value === true ? [] : typeof value === "string" ? value.split(/ +/) : value
    for (const source of sources) check(name, source)
    return [{ name, sources, needsValue: value !== true }]
  })
  return (nonce) =>
    all
      .map(({ name, needsValue, sources }) => {
        const given = sources.flatMap((source) =>
          source !== NONCE ? [source] : nonce === undefined ? [] : [`'nonce-${nonce}'`]
        )
        return [name, ...(needsValue && given.length === 0 ? ["'none'"] : given)].join(" ")
      })
      .join("; ")
}

const keywords =
  /^(?:self|none|nonce|unsafe-inline|unsafe-eval|unsafe-hashes|strict-dynamic|report-sample|wasm-unsafe-eval|inline-speculation-rules|(?:nonce|sha256|sha384|sha512)-.+)$/

const check = (name: string, source: string): void => {
  if (!/^[\x21-\x2b\x2d-\x3a\x3c-\x7e]+$/.test(source)) {
    throw new TypeError(
      `${quoted(source)} in ${name} is no source: no spaces, no "," and no ";"; give a list for several`
    )
  }
  const isWord = /^(?:report-to|report-uri|sandbox|trusted-types|require-trusted-types-for)$/.test(name)
  if (!isWord && keywords.test(source)) {
    throw new TypeError(`${quoted(source)} in ${name} would be a host; write ${quoted(`'${source}'`)}`)
  }
}

const features: Permissions = { camera: [], geolocation: [], microphone: [], payment: [], usb: [] }

/** Formats permissions over the usual ones. */
export const permissions = (own: Permissions): string =>
  Object.entries({ ...features, ...own })
    .flatMap(([name, allowed]) => {
      if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name)) {
        throw new TypeError(`${quoted(name)} is no feature: write its name in lower case, as "camera"`)
      }
      if (allowed === false) return []
      return [`${name}=${allowed === "*" ? "*" : `(${[allowed].flat().map(allowlisted).join(" ")})`}`]
    })
    .join(", ")

const allowlisted = (who: string): string => {
  if (who === "self" || who === "src") return who
  if (/^https?:\/\/[\x21\x23-\x5b\x5d-\x7e]+$/.test(who)) return `"${who}"`
  throw new TypeError(`${quoted(who)} may be nobody's permission: write "self", or an origin as "https://example.com"`)
}

/** The value of Strict-Transport-Security. */
export const transport = (options: {
  readonly maxAge?: Duration.Input
  readonly includeSubDomains?: boolean
  readonly preload?: boolean
}): string => {
  const { includeSubDomains = true, maxAge = "365 days", preload = false } = options
  const seconds = Math.floor(Duration.toSeconds(maxAge))
  if (!(seconds >= 0 && seconds < Number.POSITIVE_INFINITY)) {
    throw new TypeError('SecurityHeaders: maxAge has to be a finite duration, as "365 days"')
  }
  // What the list that browsers are shipped with asks for
  if (preload && (!includeSubDomains || seconds < 31_536_000)) {
    throw new TypeError('SecurityHeaders: preload wants includeSubDomains and a maxAge of "365 days" or more')
  }
  return `max-age=${seconds}${includeSubDomains ? "; includeSubDomains" : ""}${preload ? "; preload" : ""}`
}

/** The value, when a header can carry it. */
export const checked = (option: string, value: string): string => {
  if (isFieldValue(value) && value !== "") return value
  throw new TypeError(`SecurityHeaders: ${option} is ${quoted(value)}, which no header can carry`)
}

const quoted = (text: string): string => JSON.stringify(text)
