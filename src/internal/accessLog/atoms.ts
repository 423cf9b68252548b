/**
 * The atoms of a format of the access log, aiohttp's and more.
 *
 * ```ts
 * const line = compile('%a %t "%r" %s %b %{requestId}x')
 * ```
 *
 * @source aiohttp.web_log.AccessLogger
 */
import type { Entry } from "./entry.ts"
import { escaped } from "./escaped.ts"
import * as Fields from "./fields.ts"
import { perSecond } from "./perSecond.ts"

/** A part of a line. */
export type Atom = (entry: Entry) => string

const or = (text: string | undefined): string => (text === undefined || text === "" ? "-" : escaped(text))

/** `GET /path HTTP/1.1`; `-` for what never became a request. */
export const requestLine: Atom = ({ outcome, target }) =>
  outcome.method === "" ? "-" : `${escaped(outcome.method)} ${escaped(target)} HTTP/${outcome.httpVersion}`

/** The address of the client, or `-`. */
export const address: Atom = ({ outcome }) => or(outcome.remoteAddress)

/** A header of the request, or `-`. Names in lower case. */
export const requestHeader =
  (name: string): Atom =>
  (entry) =>
    or(entry.requestHeader(name))

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const two = (number: number): string => String(number).padStart(2, "0")

const clf = (second: number): string => {
  const date = new Date(second * 1000)
  const offset = -date.getTimezoneOffset()
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`
  const day = `${two(date.getDate())}/${months[date.getMonth()]}/${date.getFullYear()}`
  return `[${day}:${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}]`
}

const clfTime = perSecond(clf)

/** When the request was taken up, in the local zone: `[10/Oct/2026:13:55:36 +0200]`. */
export const time: Atom = ({ outcome }) => clfTime(outcome.startMillis)

const { process } = globalThis as { readonly process?: { readonly pid?: number } }

const simple: Readonly<Record<string, Atom>> = {
  "%%": () => "%",
  "%a": address,
  "%t": time,
  "%P": () => `<${process?.pid ?? 0}>`,
  "%r": requestLine,
  "%s": ({ outcome }) => String(outcome.status),
  "%b": ({ outcome }) => String(outcome.bytes),
  "%B": ({ outcome }) => String(outcome.bodyBytes),
  "%T": ({ outcome }) => String(Math.round(outcome.nanos / 1e9)),
  "%Tf": ({ outcome }) => (outcome.nanos / 1e9).toFixed(6),
  "%D": ({ outcome }) => String(Math.round(outcome.nanos / 1000))
}

const ofName: Readonly<Record<string, (name: string) => Atom>> = {
  i: (name) => requestHeader(name.toLowerCase()),
  o: (name) => {
    const lower = name.toLowerCase()
    return (entry) => or(entry.responseHeader(lower))
  },
  x: (name) => (entry) => {
    const value = Fields.field(entry, name)
    return value === undefined ? "-" : or(String(value))
  }
}

const atom = /%(?:%|Tf|[atPrsbBTD]|\{([^}]+)\}([iox]))/g

/** Compiles a format: `%a %t %P %r %s %b %B %T %Tf %D %{Name}i %{Name}o %{field}x %%`. What it does not know is kept as it is. */
export const compile = (format: string): Atom => {
  const parts: Array<Atom> = []
  let at = 0
  const literal = (end: number) => {
    const text = format.slice(at, end)
    if (text !== "") parts.push(() => text)
  }
  for (const match of format.matchAll(atom)) {
    literal(match.index)
    const [text, name, kind] = match
    const made = name === undefined ? simple[text] : ofName[kind ?? ""]?.(name)
    if (made !== undefined) parts.push(made)
    at = match.index + text.length
  }
  literal(format.length)
  return (entry) => {
    let line = ""
    for (const part of parts) line += part(entry)
    return line
  }
}
