/**
 * What the formats of the access log read: an outcome, with its secrets redacted.
 *
 * ```ts
 * const line = ({ outcome, target }: Entry) => `${outcome.method} ${target} ${outcome.status}`
 * ```
 */
import type { Exchange } from "../exchange.ts"
import { redactQuery, secretHeaders } from "./redaction.ts"

/** What is redacted. */
export interface Redaction {
  readonly redactQuery?: ReadonlyArray<string> | boolean
  readonly redactHeaders?: ReadonlyArray<string>
}

/** A line in the making. */
export interface Entry {
  readonly outcome: Exchange
  /** The request-target with its query, secrets redacted. Not escaped. */
  readonly target: string
  /** "WARN" for a slow request. */
  readonly level: "INFO" | "WARN"
  /** A header of the request: a secret one is "<redacted>", query parameters in Referer are redacted. Not escaped. */
  readonly requestHeader: (name: string) => string | undefined
  /** A header of the answer, likewise. */
  readonly responseHeader: (name: string) => string | undefined
}

/** Makes entries. */
export const entries = (options: Redaction): ((outcome: Exchange, isSlow: boolean) => Entry) => {
  const redact = redactQuery(options.redactQuery)
  const secret = new Set((options.redactHeaders ?? secretHeaders).map((name) => name.toLowerCase()))
  const shown = (name: string, value: string | undefined): string | undefined => {
    if (value === undefined) return undefined
    if (secret.has(name)) return "<redacted>"
    return name === "referer" || name === "location" ? redact(value) : value
  }
  return (outcome, isSlow) => ({
    outcome,
    target: redact(outcome.url),
    level: isSlow ? "WARN" : "INFO",
    requestHeader: (name) => shown(name, outcome.requestHeader(name)),
    responseHeader: (name) => shown(name, outcome.responseHeader(name))
  })
}
