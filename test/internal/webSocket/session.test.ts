/**
 * The session over a connection that the test holds in its hands.
 */
import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { OnDrain } from "../../../src/internal/lifecycle/draining.ts"
import { accounted } from "../../../src/internal/webSocket/account.ts"
import { asItIs } from "../../../src/internal/webSocket/codec.ts"
import { Line } from "../../../src/internal/webSocket/line.ts"
import { session } from "../../../src/internal/webSocket/session.ts"
import type { Wire } from "../../../src/internal/webSocket/wire.ts"
import { leaveAfter } from "../../leaving.ts"

const wire = {
  protocol: "",
  send: () => true,
  buffered: () => 0,
  received: () => 0,
  sent: () => 0,
  taken: () => undefined,
  ping: () => {},
  close: () => {},
  terminate: () => {},
  pause: () => {},
  resume: () => {},
  listen: () => {}
} satisfies Wire

const settings = {
  heartbeat: Duration.seconds(30),
  receiveTimeout: undefined,
  closeTimeout: Duration.seconds(10),
  limit: 1000,
  slow: "suspend"
} as const

it.live("a connection that is given up at whatever moment is waited for by nobody, and counted no more", () =>
  Effect.gen(function* () {
    const waiting = new Set<() => void>()
    const onDrain = (f: () => void) => {
      waiting.add(f)
      return () => waiting.delete(f)
    }
    const one = Effect.gen(function* () {
      const line = new Line(wire, settings)
      const context = yield* Effect.context<never>()
      return yield* accounted(
        line,
        context,
        () => {},
        session(line, asItIs, settings, () => Effect.never)
      )
    })
    for (let turns = 0; turns < 40; turns++) {
      yield* leaveAfter(turns, Effect.provideService(one, OnDrain, onDrain))
      const open = (yield* Metric.snapshot).find(({ id }) => id === "websocket.connections")?.state
      assert.deepStrictEqual([waiting.size, open ?? { value: 0 }], [0, { value: 0 }], `after ${turns} turns`)
    }
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
)
