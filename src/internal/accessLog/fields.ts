/**
 * An outcome as fields, for structured logs, and as lines of JSON and logfmt.
 *
 * ```ts
 * fields(entry) // { "http.method": "GET", "http.url": "/users/42", "http.status": 200, durationMs: 1.2, ... }
 * ```
 */
import type { Entry } from "./entry.ts"
import { escaped } from "./escaped.ts"

/** The logger's name, by which lines of the access log are told from others. */
export const logger = "effect-web.access"

type Value = unknown

const known: ReadonlyArray<readonly [name: string, value: (entry: Entry) => Value]> = [
  ["http.method", ({ outcome }) => outcome.method || undefined],
  ["http.url", ({ target }) => target || undefined],
  ["http.status", ({ outcome }) => outcome.status],
  ["http.route", ({ outcome }) => outcome.pattern],
  ["route", ({ outcome }) => outcome.route],
  ["outcome", ({ outcome }) => outcome.result],
  ["error", ({ outcome }) => outcome.error],
  ["durationMs", ({ outcome }) => Math.round(outcome.nanos / 1000) / 1000],
  ["bytes", ({ outcome }) => outcome.bytes],
  ["bodyBytes", ({ outcome }) => outcome.bodyBytes],
  ["remoteAddress", ({ outcome }) => outcome.remoteAddress],
  ["userAgent", (entry) => entry.requestHeader("user-agent")],
  ["requestId", ({ outcome }) => outcome.requestId],
  ["protocol", ({ outcome }) => outcome.protocol]
]

const byName: ReadonlyMap<string, (entry: Entry) => Value> = new Map([
  ...known,
  ["method", ({ outcome }) => outcome.method],
  ["url", ({ target }) => target],
  ["status", ({ outcome }) => outcome.status],
  ["pattern", ({ outcome }) => outcome.pattern],
  ["level", ({ level }) => level]
])

/** One field. */
export const field = (entry: Entry, name: string): Value => byName.get(name)?.(entry) ?? entry.outcome.fields[name]

// Those that are there, as they are.
const collect = (entry: Entry): Record<string, unknown> => {
  const all: Record<string, unknown> = {}
  for (const [name, value] of known) {
    const found = value(entry)
    if (found !== undefined) all[name] = found
  }
  return Object.assign(all, entry.outcome.fields)
}

/** All that are there. Strings are free of control characters, for loggers that print to a terminal. */
export const fields = (entry: Entry): Record<string, unknown> => {
  const all = collect(entry)
  for (const name in all) {
    const value = all[name]
    if (typeof value === "string" && /[^ -~]/.test(value)) all[name] = escaped(value)
  }
  return all
}

/** An ISO 8601 time in UTC. */
const iso = (millis: number): string => new Date(millis).toISOString()

// JSON escapes C0 only: what else a terminal might act upon is escaped too.
const ascii = (json: string): string =>
  json.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** A line of JSON. */
export const json = (entry: Entry): string =>
  ascii(
    JSON.stringify({
      timestamp: iso(entry.outcome.startMillis),
      level: entry.level,
      logger,
      ...collect(entry)
    })
  )

const bare = /^[\w.:/+@?&%,;~*()[\]-]+$/

/** A line of logfmt: `key=value`, values with other than plain characters in quotes. */
export const logfmt = (entry: Entry): string => {
  let line = `timestamp=${iso(entry.outcome.startMillis)} level=${entry.level} logger=${logger}`
  const all = collect(entry)
  for (const name in all) {
    const text = String(all[name])
    line += ` ${name}=${bare.test(text) ? text : `"${escaped(text)}"`}`
  }
  return line
}
