/**
 * A line for each request, when its last byte has left: through Effect's Logger with fields, or as text in a format.
 *
 * ```ts
 * App.make(routes).pipe(App.use(AccessLog.make({ skip: ["health"], slow: "1 second" })))
 * Server.run(app, { accessLog: { format: AccessLog.combined, write: AccessLog.stdout } }) // also what never became a request
 * const format = AccessLog.format('%a %t "%r" %s %b %Tf %{requestId}x')
 * ```
 *
 * What a client sent is escaped, and secrets are redacted. A failure of the log is one warning a minute, and nothing else.
 *
 * @source aiohttp.web_log.AccessLogger
 */
import type * as Duration from "effect/Duration"
import * as Atoms from "../internal/accessLog/atoms.ts"
import { escaped } from "../internal/accessLog/escaped.ts"
import * as Fields from "../internal/accessLog/fields.ts"
import * as Log from "../internal/accessLog/log.ts"
import { follow } from "../internal/exchange/followed.ts"
import * as Passage from "../internal/exchange/passage.ts"
import type { Middleware } from "../Middleware.ts"
import type { Outcome } from "../Outcome.ts"

/** What a format reads: the outcome, and what of it holds no secrets. Nothing is escaped. */
export interface Entry {
  readonly outcome: Outcome
  /** The request-target with its query, secrets redacted. */
  readonly target: string
  /** "WARN" for a slow request. */
  readonly level: "INFO" | "WARN"
  /** A header of the request, by its name in lower case: "<redacted>" where it is secret. */
  readonly requestHeader: (name: string) => string | undefined
  /** A header of the answer, likewise. */
  readonly responseHeader: (name: string) => string | undefined
}

/** Makes the line of an entry. What comes from the client has to go through `escape`. */
export type Format = (entry: Entry) => string

/** What is logged, and where. */
export interface Options {
  /** The line; a short message unless given, to go with the fields. */
  readonly format?: Format
  /** Whether the fields are annotations of the line; true unless there is a format. */
  readonly fields?: boolean
  /** Takes lines, those of ten milliseconds at a time, each with its "\n"; Effect's Logger (Info) unless given. */
  readonly write?: (lines: string) => void
  /** What is not logged: routes by name, statuses, and whatever a predicate is true for. */
  readonly skip?: ReadonlyArray<string | number | ((outcome: Outcome) => boolean)>
  /** The share of requests that are logged, 0 to 1; what failed, was slow or has a status of 400 and above always is. */
  readonly sample?: number
  /** What took at least so long is logged as a warning. */
  readonly slow?: Duration.Input
  /** Query parameters whose values are redacted, true for the whole query, false for none; what looks like a secret unless given. */
  readonly redactQuery?: ReadonlyArray<string> | boolean
  /** Headers that are redacted; Authorization, cookies and keys unless given. */
  readonly redactHeaders?: ReadonlyArray<string>
}

/** Makes the middleware, for an app or for a route: a line for each request below it. Throws a TypeError for a bad option. */
export const make = (options: Options | Format = {}): Middleware => {
  const log = Log.of(options)
  const writes = typeof options === "object" && options.write !== undefined
  const middleware = Passage.middleware((passage) => {
    // Lines that are written have no annotations.
    follow(passage).observe((outcome) => log(outcome, writes ? passage.outer : passage.context))
  })
  // A handler goes in and comes out; the middleware's type says which.
  return middleware as Middleware
}

/**
 * Makes a format of a text with atoms, those of aiohttp and more:
 * `%a` address of the client, `%t` local time of the start, `%P` process, `%r` request line, `%s` status, `%b` bytes with the head,
 * `%B` bytes of the content, `%T` seconds, `%Tf` seconds with six decimals, `%D` microseconds, `%{Name}i` and `%{Name}o` headers of
 * the request and of the answer, `%{field}x` a field: `route`, `pattern`, `outcome`, `error`, `requestId`, `protocol`, `durationMs`,
 * or one of whoever took the connection over. `-` stands for what is not there; an unknown atom is kept as it is.
 *
 * @source aiohttp.web_log.AccessLogger.LOG_FORMAT_MAP
 */
export const format = (text: string): Format => publicly(Atoms.compile(text))

/** aiohttp's own: `%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"`. */
export const standard: Format = format('%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"')

const size: Atoms.Atom = ({ outcome }) => (outcome.bodyBytes === 0 ? "-" : String(outcome.bodyBytes))
const { address, requestLine, time } = Atoms
const referer = Atoms.requestHeader("referer")
const userAgent = Atoms.requestHeader("user-agent")

const clf: Atoms.Atom = (entry) =>
  `${address(entry)} - - ${time(entry)} "${requestLine(entry)}" ${entry.outcome.status} ${size(entry)}`

/** Apache's common: `%h - - %t "%r" %>s %b`, where `%b` are the bytes of the content. */
export const common: Format = publicly(clf)

/** Apache's combined: the common one, and `"%{Referer}i" "%{User-Agent}i"`. */
export const combined: Format = publicly((entry) => `${clf(entry)} "${referer(entry)}" "${userAgent(entry)}"`)

/** The fields as a line of logfmt: `timestamp=... level=INFO http.method=GET ...`. */
export const logfmt: Format = publicly(Fields.logfmt)

/** The fields as a line of JSON. */
export const json: Format = publicly(Fields.json)

/** As it may stand in a log: one line of printable ASCII, `\\"` for a quote, `\\xhh` for other bytes; cut behind 4096 characters. */
export const escape: (text: string) => string = escaped

/** Writes lines to standard output. */
// biome-ignore lint/suspicious/noConsole: the one way to standard output on every platform
export const stdout = (lines: string): void => globalThis.console.log(lines.slice(0, -1))

// Entries are made here, of exchanges, which keep their times as numbers.
function publicly(atom: Atoms.Atom): Format {
  return atom as Format
}
