/**
 * What is known of a WebSocket: the line of the access log, metrics, and a span.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import * as AccessLog from "../src/middleware/AccessLog.ts"
import * as Route from "../src/Route.ts"
import * as Testing from "../src/testing/Testing.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { until } from "./server/both.ts"

const echo = WebSocket.raw({}, (socket) => Stream.runForEach(socket.messages, socket.send))
const dies = WebSocket.raw({}, () => Effect.die(new Error("broken")))
const fails = WebSocket.raw({}, () => new WebSocket.Close({ code: 4001 }))

/** What was told of the sockets of a test. */
interface Told {
  readonly lines: ReadonlyArray<Record<string, unknown>>
  readonly spans: ReadonlyArray<Tracer.Span>
  /** What the error reporters were given. */
  readonly reports: ReadonlyArray<string>
  /** The values of the metrics, by name and attribute. */
  readonly metrics: Effect.Effect<Record<string, unknown>>
}

const told = (
  name: string,
  body: (client: Testing.Client, told: Told) => Effect.Effect<unknown, unknown, Scope.Scope>
): void => {
  describe(name, () => {
    for (const [kind, open] of [
      ["in memory", Testing.client],
      ["on a socket", Testing.socketClient]
    ] as const) {
      it.effect(kind, () =>
        Effect.gen(function* () {
          const lines: Array<Record<string, unknown>> = []
          const spans: Array<Tracer.Span> = []
          const reports: Array<string> = []
          const write = (text: string) => {
            for (const line of text.trim().split("\n")) lines.push(JSON.parse(line))
          }
          const routes = {
            echo: Route.websocket("/echo", echo),
            dies: Route.websocket("/dies", dies),
            fails: Route.websocket("/fails", fails)
          }
          const app = App.make(routes).pipe(App.use(AccessLog.make({ format: AccessLog.json, write })))
          const reporter = ErrorReporter.make(({ error }) => void reports.push(error.message))
          const metrics = Effect.map(Metric.snapshot, (all) =>
            Object.fromEntries(
              all
                .filter(({ id }) => id.startsWith("websocket."))
                .map(({ attributes, id, state }) => [
                  [id, ...Object.values(attributes ?? {})].join(" "),
                  "count" in state ? state.count : "value" in state ? state.value : state
                ])
            )
          )
          const tracer = Tracer.make({
            span: (options) => {
              const span = new Tracer.NativeSpan(options)
              spans.push(span)
              return span
            }
          })
          const run = Effect.flatMap(open(app), (client) => body(client, { lines, reports, spans, metrics }))
          yield* run.pipe(
            Effect.provideService(Tracer.Tracer, tracer),
            Effect.provideService(ErrorReporter.CurrentErrorReporters, new Set([reporter])),
            Effect.provide(Logger.layer([]))
          )
        }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
      )
    }
  })
}

told("the access log says what a WebSocket has carried, and how it closed", (client, { lines }) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/echo", { compress: false })
    yield* peer.send("hello")
    yield* peer.receive
    yield* peer.send(new Uint8Array(100))
    yield* peer.receive
    yield* TestClock.adjust("2 seconds")
    yield* peer.close(4000, "enough")
    yield* until(() => lines.length > 0)
    assert.deepInclude(lines[0], {
      "http.status": 101,
      protocol: "websocket",
      outcome: "completed",
      messagesReceived: 2,
      messagesSent: 2,
      // Heads of two bytes and masks of four; the close frame has a code and a reason.
      bytesReceived: 11 + 106 + 14,
      bytesSent: 7 + 102 + 10,
      closeCode: 4000
    })
  })
)

told("metrics count open sockets, messages and bytes both ways, and closes", (client, { lines, metrics }) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/echo", { compress: false })
    yield* peer.send("hello")
    yield* peer.receive
    assert.deepInclude(yield* metrics, { "websocket.connections": 1 })
    // With a heartbeat they are brought up to date.
    yield* TestClock.adjust("31 seconds")
    assert.deepInclude(yield* metrics, { "websocket.messages received": 1, "websocket.messages sent": 1 })
    yield* peer.close(4000)
    yield* until(() => lines.length > 0)
    const all = yield* metrics
    assert.deepInclude(all, {
      "websocket.connections": 0,
      "websocket.messages received": 1,
      "websocket.messages sent": 1,
      "websocket.closes 4xxx": 1
    })
    assert.isAbove(Number(all["websocket.bytes received"]), 11)
  })
)

told("a span lasts as long as the WebSocket", (client, { lines, spans }) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/echo")
    yield* peer.send("hello")
    yield* peer.receive
    const span = spans.find(({ name }) => name === "websocket")
    assert.strictEqual(span?.status._tag, "Started")
    yield* peer.close(1000)
    yield* until(() => lines.length > 0)
    assert.strictEqual(span?.status._tag, "Ended")
    assert.deepInclude(Object.fromEntries(span?.attributes ?? []), { messagesReceived: 1, closeCode: 1000 })
    assert.strictEqual(span?.parent._tag, "Some")
  })
)

for (const [path, outcome, closeCode, reported] of [
  ["/dies", "defect", 1011, ["broken"]],
  ["/fails", "completed", 4001, []]
] as const) {
  told(`of ${path} the outcome is ${outcome}`, (client, { lines, reports, spans }) =>
    Effect.gen(function* () {
      const peer = yield* client.webSocket(path)
      assert.strictEqual((yield* peer.closed).code, closeCode)
      yield* until(() => lines.length > 0)
      assert.deepInclude(lines[0], { outcome, closeCode })
      const span = spans.find(({ name }) => name === "websocket")
      assert.strictEqual(span?.status._tag === "Ended" && Exit.isFailure(span.status.exit), outcome === "defect")
      assert.deepInclude(Object.fromEntries(span?.attributes ?? []), { closeCode })
      assert.deepStrictEqual(reports, reported)
    })
  )
}
