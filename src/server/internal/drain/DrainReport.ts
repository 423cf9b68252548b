/**
 * The lines of a stop: that it begins and has to wait, and at its end what was under way and what became of it.
 *
 * ```ts
 * yield* DrainReport.log(account.report(now, [], background))
 * // Stopped in 1.2 s: 3 of 4 requests finished, 1 interrupted; 2 of 2 WebSockets closed; did not finish: report after 1.2 s
 * ```
 *
 * Information when everything finished, a warning when something did not. The numbers are annotations of the line.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { type Counts, lost, type Report, type Row, type Stuck, total } from "./DrainAccount.ts"

/**
 * Who is told. `program`: whoever ended it waits for the line. `server`: a stop with nothing under way is for debugging. `test`: all
 * of it is.
 */
export const Audience = Context.Reference<"program" | "server" | "test">("effect-web/DrainReport/Audience", {
  defaultValue: () => "server"
})

/** Is given the report of a stop; nobody unless a test wants to know. */
export const Told = Context.Reference<(report: Report) => void>("effect-web/DrainReport/Told", {
  defaultValue: () => () => {}
})

/** So many routes, and so many handlers, are named in a line. */
const most = 20

/** Logs that a program stops and waits, so that who looks at it meanwhile knows for what. */
export const begins = (underWay: number, patience: number): Effect.Effect<void> =>
  Effect.flatMap(Audience, (audience) =>
    audience === "program" && underWay > 0
      ? Effect.logInfo(`Stopping: ${underWay} still under way, with a shutdownTimeout of ${time(patience)}`)
      : Effect.void
  )

/** Logs the report, and gives it to who wants to know. */
export const log = (report: Report): Effect.Effect<void> =>
  Effect.gen(function* () {
    const audience = yield* Audience
    ;(yield* Told)(report)
    const { background, connections, routes, stuck } = report
    const all = [report.requests, report.eventStreams, report.webSockets, background]
    const isBad = connections > 0 || stuck.length > 0 || all.some((counts) => lost(counts) > 0)
    const isIdle = routes.length === 0 && total(background) === 0 && !isBad
    const logged = levelOf(audience, isBad, isIdle)(text(report))
    yield* isIdle ? logged : Effect.annotateLogs(logged, fields(report))
  })

// Flat and without nesting, so that every logger shows it; what there was none of is left out.
const fields = (report: Report) => ({
  "drain.durationMs": Math.round(report.duration),
  ...numbers("drain.requests", report.requests),
  ...numbers("drain.webSockets", report.webSockets),
  ...numbers("drain.eventStreams", report.eventStreams),
  ...numbers("drain.background", report.background),
  ...(report.connections > 0 ? { "drain.connections.destroyed": report.connections } : undefined),
  ...(report.routes.length > 0 ? { "drain.routes": report.routes.slice(0, most).map(rowText).join("; ") } : undefined),
  ...(report.stuck.length > 0 ? { "drain.stuck": report.stuck.slice(0, most).map(stuckText).join("; ") } : undefined)
})

const numbers = (name: string, counts: Counts): Record<string, number> =>
  Object.fromEntries(
    Object.entries(pick(counts)).flatMap(([key, count]) => (count > 0 ? [[`${name}.${key}`, count]] : []))
  )

const pick = ({ aborted, destroyed, finished, interrupted, onDrain }: Counts): Counts => ({
  finished,
  onDrain,
  interrupted,
  destroyed,
  aborted
})

const rowText = (row: Row): string => {
  const counts = Object.entries(pick(row)).flatMap(([key, count]) => (count > 0 ? [`${count} ${key}`] : []))
  return `${row.route}: ${counts.join(", ")}, ${time(row.oldest)}`
}

const stuckText = ({ age, route }: Stuck): string => `${route} still runs after ${time(age)}`

const levelOf = (audience: "program" | "server" | "test", isBad: boolean, isIdle: boolean) => {
  if (audience === "test" || (isIdle && audience === "server")) return Effect.logDebug
  return isBad ? Effect.logWarning : Effect.logInfo
}

/** The report as a sentence. */
export const text = (report: Report): string => {
  const { background, connections, duration, eventStreams, requests, routes, stuck, webSockets } = report
  const late = routes.filter((row) => lost(row) > 0)
  const parts = [
    said(requests, "request", "finished"),
    said(webSockets, "WebSocket", "closed"),
    said(eventStreams, "event stream", "ended"),
    said(background, "background task", "finished"),
    connections > 0 ? `${counted(connections, "connection")} destroyed` : "",
    late.length > 0 ? `did not finish: ${late.slice(0, most).map(lateText).join(", ")}` : "",
    ...stuck.slice(0, most).map(stuckText)
  ].filter((part) => part !== "")
  return `Stopped in ${time(duration)}: ${parts.length === 0 ? "nothing was under way" : parts.join("; ")}`
}

const lateText = (row: Row): string =>
  lost(row) === 1
    ? `${row.route} after ${time(row.oldest)}`
    : `${lost(row)} of ${row.route} after up to ${time(row.oldest)}`

const said = (counts: Counts, noun: string, verb: string): string => {
  if (total(counts) === 0) return ""
  const { aborted, destroyed, finished, interrupted, onDrain } = counts
  const rest = [
    onDrain > 0 ? `${onDrain} interrupted by onDrain` : "",
    interrupted > 0 ? `${interrupted} interrupted` : "",
    destroyed > 0 ? `${destroyed} cut off` : "",
    aborted > 0 ? `${aborted} left by the client` : ""
  ].filter((part) => part !== "")
  return [`${finished} of ${counted(total(counts), noun)} ${verb}`, ...rest].join(", ")
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

const time = (millis: number): string =>
  millis < 1000 ? `${Math.round(millis)} ms` : `${(millis / 1000).toFixed(1)} s`
