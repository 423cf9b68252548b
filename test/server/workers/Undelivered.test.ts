/**
 * Connections that were on their way to a worker when it died.
 */
import * as Cluster from "node:cluster"
import { EventEmitter } from "node:events"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Undelivered from "../../../src/server/internal/workers/Undelivered.ts"
import { until } from "../both.ts"

type Says = "takes" | "refuses" | "dies"

interface Message {
  readonly seq?: number
  readonly ack?: number
  readonly accepted?: boolean
}

/** A worker that says so to what it is sent. */
class Child extends EventEmitter {
  readonly got: Array<Message> = []
  private readonly says: Says | undefined

  constructor(says?: Says) {
    super()
    this.says = says
  }

  send(message: Message): boolean {
    this.got.push(message)
    queueMicrotask(() => {
      if (this.says === "dies") this.emit("exit")
      else if (this.says !== undefined)
        this.emit("internalMessage", { ack: message.seq, accepted: this.says === "takes" })
    })
    return true
  }
}

/** How often each is asked, when one dies to which a connection was on its way, and what Node is told then. */
const given = (others: ReadonlyArray<Says>) =>
  Effect.gen(function* () {
    const workers = Cluster.default.workers as Record<string, unknown>
    const children = [new Child(), ...others.map((says) => new Child(says))]
    const all = children.map((process, at) => ({ id: 9000 + at, process, isConnected: () => true }))
    for (const worker of all) {
      workers[worker.id] = worker
      Undelivered.follow(worker as never)
    }
    yield* Effect.addFinalizer(() => Effect.sync(() => all.map(({ id }) => Reflect.deleteProperty(workers, id))))
    const [gone, ...rest] = children as [Child, ...Array<Child>]
    const told: Array<Message> = []
    gone.on("internalMessage", (message) => told.push(message))
    ;(gone.send as (...args: ReadonlyArray<unknown>) => boolean)({ act: "newconn", seq: 7 }, {})
    gone.emit("exit")
    yield* until(() => told.length > 0)
    return { asked: rest.map(({ got }) => got.length), told: told.map(({ accepted, ack }) => [ack, accepted]) }
  })

const rows: ReadonlyArray<readonly [string, ReadonlyArray<Says>, ReadonlyArray<number>]> = [
  ["goes to another one", ["takes", "takes"], [1, 0]],
  ["goes past one that only starts, and does not take it", ["refuses", "takes"], [1, 1]],
  ["goes past one that dies too", ["dies", "takes"], [1, 1]],
  ["is closed when none takes it", ["refuses", "refuses"], [1, 1]],
  ["is closed when none is left", [], []]
]

describe("a connection on its way to a worker that dies", () => {
  for (const [name, others, asked] of rows)
    it.live(name, () =>
      Effect.gen(function* () {
        // In the end Node is told, for the dead one, that it may let go.
        assert.deepStrictEqual(yield* given(others), { asked: [...asked], told: [[7, true]] })
      })
    )
})
