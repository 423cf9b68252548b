/**
 * The line at the end of a stop: what was under way, and what became of it.
 *
 * ```ts
 * yield* DrainReport.log(account.report(now, [], background))
 * // Stopped in 1.2 s: 3 requests finished, 1 was interrupted; 2 WebSockets closed
 * ```
 *
 * Information when everything finished, a warning when something did not. The numbers are annotations of the line.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { type Counts, lost, type Report, total } from "./DrainAccount.ts"

/**
 * Who is told. `program`: whoever ended it waits for the line. `server`: a stop with nothing under way is for debugging. `test`: all
 * of it is.
 */
export const Audience = Context.Reference<"program" | "server" | "test">("effect-web/DrainReport/Audience", {
  defaultValue: () => "server"
})

/** So many routes, and so many handlers, are named in a line. */
const most = 20

/** Logs the report. */
export const log = (report: Report): Effect.Effect<void> =>
  Effect.flatMap(Audience, (audience) => {
    const { background, connections, routes, stuck } = report
    const all = [report.requests, report.eventStreams, report.webSockets, background]
    const isBad = connections > 0 || stuck.length > 0 || all.some((counts) => lost(counts) > 0)
    const isIdle = routes.length === 0 && total(background) === 0 && !isBad
    const logged = levelOf(audience, isBad, isIdle)(text(report))
    return isIdle ? logged : Effect.annotateLogs(logged, { drain: fields(report) })
  })

// What there was none of is left out.
const fields = ({ background, connections, duration, eventStreams, requests, routes, stuck, webSockets }: Report) => ({
  duration,
  ...(total(requests) > 0 ? { requests } : undefined),
  ...(total(webSockets) > 0 ? { webSockets } : undefined),
  ...(total(eventStreams) > 0 ? { eventStreams } : undefined),
  ...(total(background) > 0 ? { background } : undefined),
  ...(connections > 0 ? { connections } : undefined),
  routes: routes.slice(0, most).map((row) => ({ ...row, oldest: Math.round(row.oldest) })),
  ...(stuck.length > 0 ? { stuck: stuck.slice(0, most) } : undefined)
})

const levelOf = (audience: "program" | "server" | "test", isBad: boolean, isIdle: boolean) => {
  if (audience === "test" || (isIdle && audience === "server")) return Effect.logDebug
  return isBad ? Effect.logWarning : Effect.logInfo
}

/** The report as a sentence. */
export const text = (report: Report): string => {
  const { background, connections, duration, eventStreams, requests, stuck, webSockets } = report
  const parts = [
    said(requests, "request", "finished"),
    said(webSockets, "WebSocket", "closed"),
    said(eventStreams, "event stream", "ended"),
    said(background, "background task", "finished"),
    connections > 0 ? `${counted(connections, "connection")} destroyed` : "",
    ...stuck.slice(0, most).map(({ age, route }) => `${route} still runs after ${time(age)}`)
  ].filter((part) => part !== "")
  const slowest = report.routes.find((row) => lost(row) > 0)
  if (slowest !== undefined) parts.push(`the oldest of ${slowest.route} took ${time(slowest.oldest)}`)
  return `Stopped in ${time(duration)}: ${parts.length === 0 ? "nothing was under way" : parts.join("; ")}`
}

const said = (counts: Counts, noun: string, verb: string): string => {
  if (total(counts) === 0) return ""
  const { aborted, destroyed, finished, interrupted } = counts
  const rest = [
    interrupted > 0 ? `${interrupted} interrupted` : "",
    destroyed > 0 ? `${destroyed} cut off` : "",
    aborted > 0 ? `${aborted} left by the client` : ""
  ].filter((part) => part !== "")
  return [`${finished} of ${counted(total(counts), noun)} ${verb}`, ...rest].join(", ")
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

const time = (millis: number): string =>
  millis < 1000 ? `${Math.round(millis)} ms` : `${(millis / 1000).toFixed(1)} s`
