/**
 * What a connection has carried: for the outcome of its request, for metrics, and for a span that lasts as long as it does.
 *
 * ```ts
 * yield* accounted(line, context, connection.note, session(line, compiled, settings, handler))
 * ```
 *
 * Metrics: `websocket.connections` (open now), `websocket.messages` and `websocket.bytes` by `direction`, `websocket.closes` by `code`.
 * They are brought up to date with each heartbeat and at the end.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import type { Line } from "./line.ts"
import type { CloseEvent } from "./socket.ts"

const open = Metric.gauge("websocket.connections", { description: "WebSockets that are open on this server" })
const messages = Metric.counter("websocket.messages", { description: "Messages of WebSockets", incremental: true })
const bytes = Metric.counter("websocket.bytes", { description: "Bytes on WebSockets, as sent", incremental: true })
const closes = Metric.counter("websocket.closes", { description: "WebSockets that ended", incremental: true })

const received = { direction: "received" }
const sent = { direction: "sent" }
const counters = {
  messagesReceived: Metric.withAttributes(messages, received),
  messagesSent: Metric.withAttributes(messages, sent),
  bytesReceived: Metric.withAttributes(bytes, received),
  bytesSent: Metric.withAttributes(bytes, sent)
}
type Counts = { readonly [Name in keyof typeof counters]: number }

// As many series as there are registered codes: the others are the peer's to choose.
const codeOf = (code: number): string => (code < 3000 ? String(code) : `${Math.floor(code / 1000)}xxx`)

const count = ({ inbox, outbox, wire }: Line): Counts => ({
  messagesReceived: inbox.received,
  messagesSent: outbox.sent,
  bytesReceived: wire.received(),
  bytesSent: wire.sent()
})

/** Keeps the account of a connection while it is in use. */
export const accounted = <R>(
  line: Line,
  context: Context.Context<never>,
  note: (fields: Readonly<Record<string, unknown>>) => void,
  session: Effect.Effect<CloseEvent, never, R>
): Effect.Effect<CloseEvent, never, R> => {
  let known: Counts = { messagesReceived: 0, messagesSent: 0, bytesReceived: 0, bytesSent: 0 }
  const report = (): void => {
    const counts = count(line)
    for (const name of Object.keys(counters) as ReadonlyArray<keyof Counts>) {
      const more = counts[name] - known[name]
      if (more > 0) counters[name].updateUnsafe(more, context)
    }
    known = counts
  }
  const end = Effect.suspend(() => {
    report()
    const code = line.last?.code ?? 1006
    open.modifyUnsafe(-1, context)
    Metric.withAttributes(closes, { code: codeOf(code) }).updateUnsafe(1, context)
    const fields = { ...known, closeCode: code }
    note(fields)
    return isTraced ? Effect.annotateCurrentSpan(fields) : Effect.void
  })
  // Spans of the native tracer are seen by nobody.
  const isTraced = Context.get(context, Tracer.Tracer) !== Tracer.nativeTracer
  const kept = Effect.uninterruptibleMask((restore) => {
    open.modifyUnsafe(1, context)
    line.onLook = report
    return Effect.ensuring(restore(session), end)
  })
  if (!isTraced) return kept
  // The span of a handler that died has failed.
  const judged = Effect.flatMap(kept, (event) =>
    line.died === undefined ? Effect.succeed(event) : Effect.failCause(line.died)
  )
  return Effect.catchCause(Effect.withSpan(judged, "websocket", { kind: "server" }), (cause) =>
    line.died === undefined || line.last === undefined ? Effect.failCause(cause) : Effect.succeed(line.last)
  )
}
