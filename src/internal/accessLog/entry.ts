/**
 * What the formats of the access log read: an outcome, with its secrets redacted.
 *
 * ```ts
 * const line = ({ outcome, target }: Entry) => `${outcome.method} ${target} ${outcome.status}`
 * ```
 */
import type { Exchange } from "../exchange/exchange.ts"
import { redactQuery, secretHeaders } from "./redaction.ts"

/** What is redacted. */
export interface Redaction {
  readonly redactQuery?: ReadonlyArray<string> | boolean
  readonly redactHeaders?: ReadonlyArray<string>
}

/** A line in the making. */
export class Entry {
  readonly outcome: Exchange
  /** "WARN" for a slow request. */
  readonly level: "INFO" | "WARN"
  private readonly rules: Rules

  constructor(outcome: Exchange, isSlow: boolean, rules: Rules) {
    this.outcome = outcome
    this.level = isSlow ? "WARN" : "INFO"
    this.rules = rules
  }

  /** The request-target with its query, secrets redacted. Not escaped. */
  get target(): string {
    return this.rules.redact(this.outcome.url)
  }

  /** A header of the request: a secret one is "<redacted>", query parameters in Referer are redacted. Not escaped. */
  requestHeader(name: string): string | undefined {
    return shown(this.rules, name, this.outcome.requestHeader(name))
  }

  /** A header of the answer, likewise. */
  responseHeader(name: string): string | undefined {
    return shown(this.rules, name, this.outcome.responseHeader(name))
  }
}

/** What to redact, compiled. */
export interface Rules {
  readonly redact: (url: string) => string
  readonly secret: ReadonlySet<string>
}

/** Compiles what to redact. */
export const rules = (options: Redaction): Rules => ({
  redact: redactQuery(options.redactQuery),
  secret: new Set((options.redactHeaders ?? secretHeaders).map((name) => name.toLowerCase()))
})

const shown = ({ redact, secret }: Rules, name: string, value: string | undefined): string | undefined => {
  if (value === undefined) return undefined
  if (secret.has(name)) return "<redacted>"
  return name === "referer" || name === "location" ? redact(value) : value
}
