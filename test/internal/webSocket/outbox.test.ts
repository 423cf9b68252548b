/**
 * The outbox over a connection that the test holds in its hands.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { closed } from "../../../src/internal/webSocket/failure.ts"
import * as Outbox from "../../../src/internal/webSocket/outbox.ts"
import type { Wire } from "../../../src/internal/webSocket/wire.ts"

/** A connection whose messages leave when the test says so. */
const stalled = () => {
  const sent: Array<string> = []
  const waiting: Array<{ readonly bytes: number; readonly done: () => void }> = []
  const disconnected: Array<number> = []
  const wire = {
    send: (message: string, done: () => void) => {
      sent.push(message)
      waiting.push({ bytes: message.length, done })
    },
    buffered: () => waiting.reduce((sum, { bytes }) => sum + bytes, 0)
  } as unknown as Wire
  return {
    sent,
    disconnected,
    leave: () => waiting.shift()?.done(),
    make: (slow: Outbox.Slow) => new Outbox.Outbox(wire, { limit: 1000, slow }, (code) => disconnected.push(code))
  }
}

/** Fills the buffer. */
const full = "f".repeat(1000)

const fork = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })

it.effect("senders wait their turn, in order", () =>
  Effect.gen(function* () {
    const { leave, make, sent } = stalled()
    const outbox = make("suspend")
    yield* outbox.send(full, undefined)
    const waiting = yield* fork(
      Effect.forEach(["a", "b", "c"], (text) => outbox.send(text, undefined), { concurrency: 3 })
    )
    assert.deepStrictEqual(sent, [full])
    assert.isUndefined(outbox.offer("d", () => undefined))
    leave()
    yield* Fiber.join(waiting)
    assert.deepStrictEqual(sent, [full, "a", "b", "c"])
    assert.isFalse(outbox.offer("d", () => undefined))
    assert.isTrue(outbox.offer(full, () => undefined))
    assert.isUndefined(outbox.offer("e", () => undefined))
  })
)

it.effect("a sender that is interrupted sends nothing", () =>
  Effect.gen(function* () {
    const { leave, make, sent } = stalled()
    const outbox = make("suspend")
    yield* outbox.send(full, undefined)
    const waiting = yield* fork(outbox.send("a", undefined))
    yield* Fiber.interrupt(waiting)
    leave()
    assert.deepStrictEqual(sent, [full])
  })
)

it.effect("dropOldest keeps what fits, and one message however large", () =>
  Effect.gen(function* () {
    const { leave, make, sent } = stalled()
    const outbox = make("dropOldest")
    yield* outbox.send(full, undefined)
    const [a, b, c, d] = ["a", "b", "c", "d"].map((text) => text.repeat(300)) as [string, string, string, string]
    for (const text of [a, b, c, d]) yield* outbox.send(text, undefined)
    assert.strictEqual(outbox.dropped, 2)
    leave()
    assert.deepStrictEqual(sent, [full, c, d])
    yield* outbox.send(a, undefined)
    yield* outbox.send(full + full, undefined)
    assert.strictEqual(outbox.dropped, 2)
    leave()
    assert.strictEqual(sent.at(-1), full + full)
  })
)

it.effect("many small messages fill the buffer too", () =>
  Effect.gen(function* () {
    const { make, sent } = stalled()
    const outbox = make("dropOldest")
    for (let count = 0; count < 100; count++) yield* outbox.send("", undefined)
    assert.deepStrictEqual([sent.length, outbox.dropped], [8, 85])
  })
)

it.effect("conflate puts the newest of a key in the place of the older", () =>
  Effect.gen(function* () {
    const { leave, make, sent } = stalled()
    const outbox = make({ conflate: (message) => (message as { readonly key?: string }).key })
    yield* outbox.send(full, {})
    yield* outbox.send("a1", { key: "a" })
    yield* outbox.send("b1", { key: "b" })
    yield* outbox.send("x", {})
    yield* outbox.send("a2", { key: "a" })
    yield* outbox.send("y", {})
    assert.strictEqual(outbox.dropped, 1)
    leave()
    assert.deepStrictEqual(sent.slice(1), ["a2", "b1", "x", "y"])
  })
)

it.effect("disconnect fails its sender, and all after it", () =>
  Effect.gen(function* () {
    const { disconnected, make, sent } = stalled()
    const outbox = make("disconnect")
    yield* outbox.send(full, undefined)
    assert.strictEqual((yield* Effect.flip(outbox.send("a", undefined))).code, 1008)
    assert.strictEqual((yield* Effect.flip(outbox.send("b", undefined))).code, 1008)
    assert.deepStrictEqual([sent, disconnected], [[full], [1008]])
  })
)

it.effect("what waits goes out before the connection is closed, and nothing after", () =>
  Effect.gen(function* () {
    const { make, sent } = stalled()
    const outbox = make("dropOldest")
    yield* outbox.send(full, undefined)
    yield* outbox.send("last", undefined)
    outbox.shut(closed(1001, "gone"))
    assert.deepStrictEqual(sent, [full, "last"])
    const { message } = yield* Effect.flip(outbox.send("more", undefined))
    assert.strictEqual(message, "The WebSocket is closed: 1001 gone")
    outbox.shut(closed(1000, ""))
    assert.strictEqual((yield* Effect.flip(outbox.send("more", undefined))).code, 1001)
  })
)
