/**
 * An outcome as fields, for structured logs, and as lines of JSON and logfmt.
 *
 * ```ts
 * fields(entry) // { "http.method": "GET", "http.url": "/users/42", "http.status": 200, durationMs: 1.2, ... }
 * ```
 */
import type { Entry } from "./entry.ts"
import { escaped } from "./escaped.ts"
import { perSecond } from "./perSecond.ts"

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

const utcSecond = perSecond((second) => new Date(second * 1000).toISOString().slice(0, 20))

// ISO 8601 in UTC.
const iso = (millis: number): string => `${utcSecond(millis)}${String(millis % 1000).padStart(3, "0")}Z`

const plain = /^[ !#-[\]-~]*$/

// JSON escapes C0 only: what else a terminal might act upon is escaped too. Most strings need nothing of it.
const jsonString = (text: string): string => {
  if (plain.test(text)) return `"${text}"`
  return JSON.stringify(text).replace(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
}

const jsonValue = (value: unknown): string => {
  if (typeof value === "string") return jsonString(value)
  return typeof value === "boolean" || Number.isFinite(value) ? String(value) : jsonString(String(value))
}

const bare = /^[\w.:/+@?&%,;~*()[\]-]+$/

const logfmtValue = (value: unknown): string => {
  const text = String(value)
  return bare.test(text) ? text : `"${escaped(text)}"`
}

interface Style {
  readonly key: (name: string) => string
  readonly value: (value: unknown) => string
}

// Built by hand: an object on the way would cost as much as all the rest.
const builder = ({ key, value }: Style): ((entry: Entry) => string) => {
  // Most values are those of the line before: the text of each is kept until another comes (a third of the time of a line).
  const parts = known.map(([name, read]) => ({ key: key(name), read, last: undefined as Value, text: "" }))
  return (entry) => {
    let text = ""
    for (const part of parts) {
      const found = part.read(entry)
      if (found === undefined) continue
      if (found !== part.last) {
        part.last = found
        part.text = part.key + value(found)
      }
      text += part.text
    }
    const { fields } = entry.outcome
    for (const name in fields) if (fields[name] !== undefined) text += key(name) + value(fields[name])
    return text
  }
}

const jsonFields = builder({ key: (name) => `,${jsonString(name)}:`, value: jsonValue })
const logfmtFields = builder({ key: (name) => ` ${name}=`, value: logfmtValue })

/** A line of JSON. */
export const json = (entry: Entry): string =>
  `{"timestamp":"${iso(entry.outcome.startMillis)}","level":"${entry.level}","logger":"${logger}"${jsonFields(entry)}}`

/** A line of logfmt: `key=value`, values with other than plain characters in quotes. */
export const logfmt = (entry: Entry): string =>
  `timestamp=${iso(entry.outcome.startMillis)} level=${entry.level} logger=${logger}${logfmtFields(entry)}`
