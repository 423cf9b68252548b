/**
 * Channels in memory: who gets what, from where, and what happens to who is slow.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpBody from "effect/http/HttpBody"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as App from "../src/App.ts"
import * as Body from "../src/Body.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sse from "../src/Sse.ts"
import { served } from "../src/testing/Served.ts"
import * as Seeded from "./seeded.ts"
import { turns, until } from "./server/both.ts"
import { connect } from "./sseClient.ts"

const Note = Schema.TaggedStruct("Note", { n: Schema.Int, text: Schema.optionalKey(Schema.String) })
type Note = typeof Note.Type
const note = (n: number): Note => Note.make({ n })

class Notes extends Context.Service<Notes, Sse.Channel<Note>>()("test/Notes") {}

const layerOf = (options?: Partial<Sse.ChannelOptions<Note>>) =>
  Layer.effect(Notes, Sse.channel({ schema: Note, ...options }))

const left: Array<string> = []
const app = App.make({
  events: Route.get(
    "/events",
    Effect.gen(function* () {
      const events = yield* (yield* Notes).subscribe
      return Sse.response(
        Stream.ensuring(
          events,
          Effect.sync(() => left.push("left"))
        )
      )
    })
  ),
  publish: Route.post("/events", { body: Body.json(Note), errors: [HttpError.ServiceUnavailable] }, ({ body }) =>
    Effect.map(
      Effect.flatMap(Notes, (notes) => notes.publish(body)),
      (id) => Response.text(id)
    )
  )
})

/** The numbers of the events, "reset" for what is none. */
const numbers = (events: ReadonlyArray<{ readonly event: string; readonly data: string }>) =>
  events.map(({ data, event }) => (event === "Note" ? JSON.parse(data).n : event))

const publish = (...all: ReadonlyArray<number>) =>
  Effect.flatMap(Notes, (notes) => Effect.forEach(all, (n) => notes.publish(note(n))))

describe("a client that comes", () => {
  served(
    "for the first time gets what is published from then on",
    app,
    (client) =>
      Effect.gen(function* () {
        yield* publish(1, 2)
        const connection = yield* connect(client, "/events")
        const ids = yield* publish(3, 4)
        const events = yield* connection.count(2)
        assert.deepStrictEqual(numbers(events), [3, 4])
        assert.deepStrictEqual(
          events.map(({ id }) => id),
          ids
        )
      }),
    { layer: layerOf() }
  )

  served(
    "again gets what it missed, and what comes",
    app,
    (client) =>
      Effect.gen(function* () {
        const first = yield* connect(client, "/events")
        yield* publish(1)
        yield* first.count(1)
        first.leave()
        yield* publish(2, 3)
        const second = yield* connect(client, "/events", first.lastEventId())
        yield* publish(4)
        assert.deepStrictEqual(numbers(yield* second.count(3)), [2, 3, 4])
      }),
    { layer: layerOf() }
  )

  served(
    "again without having got an event gets what it missed",
    app,
    (client) =>
      Effect.gen(function* () {
        yield* publish(1)
        const first = yield* connect(client, "/events")
        first.leave()
        yield* publish(2)
        const second = yield* connect(client, "/events", first.lastEventId())
        assert.deepStrictEqual(numbers(yield* second.count(1)), [2])
        second.leave()
        const third = yield* connect(client, "/events", second.lastEventId())
        yield* publish(3)
        assert.deepStrictEqual(numbers(yield* third.count(1)), [3])
      }),
    { layer: layerOf() }
  )

  served(
    "again after as many events as are kept misses none",
    app,
    (client) =>
      Effect.gen(function* () {
        const [id] = yield* publish(0, 1, 2, 3)
        const connection = yield* connect(client, "/events", id)
        assert.deepStrictEqual(numbers(yield* connection.count(3)), [1, 2, 3])
      }),
    { layer: layerOf({ replay: 3 }) }
  )

  served(
    "again after more than are kept is told, and gets all that is kept",
    app,
    (client) =>
      Effect.gen(function* () {
        const [id] = yield* publish(0, 1, 2, 3, 4)
        const connection = yield* connect(client, "/events", id)
        yield* publish(5)
        const events = yield* connection.count(5)
        assert.deepStrictEqual(numbers(events), ["reset", 2, 3, 4, 5])
        assert.strictEqual(events[0]?.data, "")
        // With the id of the reset it has the same place again.
        const again = yield* connect(client, "/events", events[0]?.id)
        assert.deepStrictEqual(numbers(yield* again.count(4)), ["reset", 3, 4, 5])
      }),
    { layer: layerOf({ replay: 3 }) }
  )

  const unknown = ["x", "0", "a-1", "2-1", "9999999", "é", "*", "0-0"]
  served(
    "with an id that nobody gave is told, and gets all that is kept",
    app,
    (client) =>
      Effect.gen(function* () {
        yield* publish(1, 2)
        for (const id of unknown) {
          const connection = yield* connect(client, "/events", id)
          assert.deepStrictEqual(numbers(yield* connection.count(3)), ["reset", 1, 2])
          connection.leave()
        }
      }),
    { layer: layerOf() }
  )
})

served(
  "while events are published and clients come and go, each gets every event once and in order",
  app,
  (client) =>
    Effect.gen(function* () {
      const { below, chance } = Seeded.make(11)
      const total = 400
      const [start] = yield* Stream.runCollect(Stream.take((yield* Notes).since(undefined), 1))
      const publishing = yield* Effect.forkScoped(
        Effect.forEach(
          Array.from({ length: total }, (_, n) => n),
          (n) => Effect.andThen(publish(n), chance(0.3) ? turns : Effect.void)
        )
      )
      const follow = Effect.gen(function* () {
        const seen: Array<number> = []
        let id = start?.id
        while (seen.length < total) {
          const connection = yield* connect(client, "/events", id)
          const wanted = Math.min(1 + below(40), total - seen.length)
          yield* connection.count(wanted)
          connection.leave()
          seen.push(...numbers(connection.events))
          id = connection.lastEventId()
        }
        return seen
      })
      const wanted = Array.from({ length: total }, (_, n) => n)
      const all = yield* Effect.all(
        Array.from({ length: 5 }, () => follow),
        { concurrency: "unbounded" }
      )
      for (const seen of all) assert.deepStrictEqual(seen, wanted)
      yield* Fiber.join(publishing)
    }),
  { layer: layerOf() }
)

describe("a client that does not read", () => {
  const long = "x".repeat(256 * 1024)
  const flood = Effect.flatMap(Notes, (notes) =>
    Effect.forEach(
      Array.from({ length: 300 }, (_, n) => n),
      (n) => Effect.andThen(notes.publish(Note.make({ n, text: long })), turns)
    )
  )
  served(
    "reads on at the oldest event that is kept, and is told",
    app,
    (client) =>
      Effect.gen(function* () {
        const connection = yield* connect(client, "/events")
        connection.pause()
        yield* flood
        connection.resume()
        yield* until(() => numbers(connection.events).includes(299))
        const seen = numbers(connection.events)
        const at = seen.indexOf("reset")
        assert.isAbove(at, 0)
        assert.deepStrictEqual(
          seen.slice(0, at),
          Array.from({ length: at }, (_, n) => n)
        )
        assert.deepStrictEqual(seen.slice(-8), [292, 293, 294, 295, 296, 297, 298, 299])
      }),
    { layer: layerOf({ replay: 8 }) }
  )

  served(
    "is cut where it is to be, while others go on",
    app,
    (client) =>
      Effect.gen(function* () {
        left.length = 0
        const slow = yield* connect(client, "/events")
        const other = yield* connect(client, "/events")
        slow.pause()
        yield* flood
        yield* until(() => left.length === 1)
        assert.strictEqual((yield* other.count(300)).length, 300)
        assert.isFalse(other.isOver())
        slow.resume()
        yield* until(slow.isOver)
        assert.isBelow(slow.events.length, 300)
      }),
    { layer: layerOf({ replay: 8, slow: "disconnect" }) }
  )
})

served(
  "a client that has left is forgotten",
  app,
  (client) =>
    Effect.gen(function* () {
      left.length = 0
      const all = yield* Effect.all(Array.from({ length: 50 }, () => connect(client, "/events")))
      for (const connection of all) connection.leave()
      yield* until(() => left.length === 50)
    }),
  { layer: layerOf() }
)

served(
  "a value that does not encode is the fault of who publishes it",
  app,
  (client) =>
    Effect.gen(function* () {
      const connection = yield* connect(client, "/events")
      const notes = yield* Notes
      const exit = yield* Effect.exit(notes.publish({ _tag: "Note", n: 0.5 }))
      assert.isTrue(Exit.isFailure(exit) && exit.cause.reasons.every(({ _tag }) => _tag === "Die"))
      yield* publish(1)
      assert.deepStrictEqual(numbers(yield* connection.count(1)), [1])
    }),
  { layer: layerOf() }
)

served(
  "what is posted is published, with its id as the answer",
  app,
  (client) =>
    Effect.gen(function* () {
      const connection = yield* connect(client, "/events")
      const ids: Array<string> = []
      for (const n of [1, 2]) {
        const response = yield* client.post("/events", {
          body: HttpBody.jsonUnsafe({ _tag: "Note", n })
        })
        ids.push(yield* response.text)
      }
      assert.deepStrictEqual(
        (yield* connection.count(2)).map(({ id }) => id),
        ids
      )
    }),
  { layer: layerOf() }
)

describe("a channel", () => {
  it.effect("names events as it is told", () =>
    Effect.gen(function* () {
      const channel = yield* Sse.channel({ schema: Note, event: ({ n }) => (n > 1 ? "big" : undefined) })
      const events = yield* Effect.forkScoped(Stream.runCollect(Stream.take(channel.since(undefined), 3)), {
        startImmediately: true
      })
      yield* channel.publish(note(1))
      yield* channel.publish(note(2))
      const [, first, second] = yield* Fiber.join(events)
      assert.deepStrictEqual([first?.event, second?.event], [undefined, "big"])
      assert.strictEqual(first?.data, '{"_tag":"Note","n":1}')
    })
  )

  it.effect("that is closed ends its streams, when they have all of it", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const channel = yield* Scope.provide(Sse.channel({ schema: Note }), scope)
      const events = yield* Effect.forkScoped(Stream.runCollect(channel.since(undefined)), { startImmediately: true })
      yield* channel.publish(note(1))
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Fiber.join(events)).length, 2)
    })
  )

  it.effect("has ids that another does not know", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* Sse.channel({ schema: Note }), yield* Sse.channel({ schema: Note })]
      const id = yield* one.publish(note(1))
      yield* other.publish(note(2))
      const [start] = yield* Stream.runCollect(Stream.take(other.since(id), 1))
      assert.strictEqual(start?.event, "reset")
    })
  )

  for (const replay of [0, -1, 1.5, Number.NaN]) {
    it(`cannot keep ${replay} events`, () => {
      const message = /replay is a number of events, 1 or more/
      assert.throws(() => Sse.channel({ schema: Note, replay }), message)
      assert.throws(() => Sse.channelRedis({ schema: Note, replay, key: "a" }), message)
    })
  }
})
