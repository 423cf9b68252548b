/**
 * Event streams as responses: what they send, and what they refuse to.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Codec from "effect/encoding/Sse"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Base from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../src/App.ts"
import * as Request from "../src/Request.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sse from "../src/Sse.ts"
import { served } from "../src/testing/Served.ts"
import * as Seeded from "./seeded.ts"

const Tick = Schema.TaggedStruct("Tick", { n: Schema.Int, at: Schema.Date })
const Note = Schema.TaggedStruct("Note", { text: Schema.String })
const Message = Schema.Union([Tick, Note])
const tick = Tick.make({ n: 1, at: new Date(0) })
const note = Note.make({ text: "a\nb" })

const bodyOf = (response: HttpServerResponse) => Effect.promise(() => Base.toWeb(response).text())
const of = (...events: ReadonlyArray<string | Sse.Event>) => Sse.response(Stream.fromIterable(events))

describe("an event stream sends", () => {
  type Row = readonly [name: string, response: HttpServerResponse, wanted: string]
  const rows: ReadonlyArray<Row> = [
    ["text as data", of("a", "b"), ":\n\ndata: a\n\ndata: b\n\n"],
    ["lines as fields, however they end", of("a\nb\rc\r\nd"), ":\n\ndata: a\ndata: b\ndata: c\ndata: d\n\n"],
    ["empty lines too", of("\n", "\r\r"), ":\n\ndata: \ndata: \n\ndata: \ndata: \ndata: \n\n"],
    [
      "text that looks like fields as data",
      of("x\nid: 7\n\nevent: y"),
      ":\n\ndata: x\ndata: id: 7\ndata: \ndata: event: y\n\n"
    ],
    ["no data as data", of(""), ":\n\ndata: \n\n"],
    ["leading spaces and colons", of("  a: b"), ":\n\ndata:   a: b\n\n"],
    [
      "id, name and time to wait",
      of(Sse.event("a", { id: "7", event: "note", retry: "1.5 seconds" })),
      ":\n\nretry: 1500\nid: 7\nevent: note\ndata: a\n\n"
    ],
    ["an id that is empty, which makes the client forget", of(Sse.event("a", { id: "" })), ":\n\nid: \ndata: a\n\n"],
    ["an id alone", of(Sse.event(undefined, { id: "7" })), ":\n\nid: 7\n\n"],
    ["nothing as a comment", of(Sse.event(undefined)), ":\n\n:\n\n"],
    ["no event at all", Sse.response(Stream.empty), ":\n\n"],
    ["the time to wait first", Sse.response(Stream.make("a"), { retry: 2500 }), "retry: 2500\n\ndata: a\n\n"],
    ["the time to wait when there is no event", Sse.response(Stream.empty, { retry: 0 }), "retry: 0\n\n"],
    [
      "values as JSON, named by their tags",
      Sse.response(Stream.make(tick, note), { schema: Message }),
      ':\n\nevent: Tick\ndata: {"_tag":"Tick","n":1,"at":"1970-01-01T00:00:00.000Z"}\n\n' +
        'event: Note\ndata: {"_tag":"Note","text":"a\\nb"}\n\n'
    ],
    [
      "values with ids, by names of one's own, and events among them",
      Sse.response(Stream.make(tick, note, Sse.event("bye", { event: "end" })), {
        schema: Message,
        id: (value) => (value._tag === "Tick" ? String(value.n) : undefined),
        event: () => undefined
      }),
      ':\n\nid: 1\ndata: {"_tag":"Tick","n":1,"at":"1970-01-01T00:00:00.000Z"}\n\n' +
        'data: {"_tag":"Note","text":"a\\nb"}\n\nevent: end\ndata: bye\n\n'
    ],
    ["values that have no tag", Sse.response(Stream.make(1, 2), { schema: Schema.Int }), ":\n\ndata: 1\n\ndata: 2\n\n"]
  ]
  for (const [name, response, wanted] of rows) {
    it.effect(name, () => Effect.map(bodyOf(response), (body) => assert.strictEqual(body, wanted)))
  }

  it("headers that keep it from being kept, compressed and buffered", () => {
    const { headers, status } = of("a")
    assert.deepStrictEqual(
      [status, { ...headers }],
      [
        200,
        {
          "content-type": "text/event-stream",
          "cache-control": "no-cache, no-transform",
          "x-accel-buffering": "no"
        }
      ]
    )
  })
})

const decoded = (text: string) => {
  const events: Array<Codec.AnyEvent> = []
  Codec.makeParser((event) => events.push(event)).feed(text)
  return events
}

it.effect("random data comes through Effect's decoder as it was, but for the ends of its lines", () =>
  Effect.gen(function* () {
    const { below, pick } = Seeded.make(7)
    const parts = ["\r", "\n", "\r\n", "data:", "id: 1", "event: x", ":", " ", "é", "\u2028", "", "😀", "\ufeff", "\0"]
    for (let round = 0; round < 300; round++) {
      const data = Array.from({ length: below(8) }, () => pick(parts)).join("")
      const [event] = decoded(yield* bodyOf(of(Sse.event(data, { id: String(round) }))))
      assert.deepInclude(event, { id: String(round), event: "message", data: data.replace(/\r\n|\r/g, "\n") })
    }
  })
)

describe("what would break out of its field is refused", () => {
  const fields: ReadonlyArray<Sse.Fields> = [
    { id: "a\nb" },
    { id: "a\rb" },
    { id: "a\0b" },
    { event: "a\nb" },
    { event: "a\rdata: x" },
    { retry: Duration.infinity }
  ]
  for (const each of fields) {
    it(JSON.stringify(each), () => assert.throws(() => Sse.event("a", each), TypeError))
  }
  it("data that is no text", () => {
    assert.throws(() => Sse.event(1 as never), /give a schema to Sse\.response/)
  })
  it("a keep-alive of no time, and options that are none", () => {
    assert.throws(() => Sse.response(Stream.empty, { keepAlive: 0 }), /longer than 0/)
    assert.throws(() => Sse.response(Stream.empty, { retry: Duration.infinity }), TypeError)
  })
})

describe("Last-Event-ID", () => {
  const rows = [
    ["a-7", "a-7"],
    ["Ã©", "é"],
    ["é", "\ufffd"],
    ["", undefined],
    [undefined, undefined]
  ] as const
  const app = App.make({
    id: Route.get(
      "/",
      Effect.map(Sse.lastEventId, (id) => Response.json(id === undefined ? null : id))
    )
  })
  for (const [sent, wanted] of rows) {
    served(`${JSON.stringify(sent)} is ${JSON.stringify(wanted)}, in UTF-8`, app, (client) =>
      Effect.gen(function* () {
        const headers = sent === undefined ? {} : { "last-event-id": sent }
        const response = yield* client.get("/", { headers })
        assert.strictEqual(yield* response.json, wanted ?? null)
      })
    )
  }
})

describe("a described route", () => {
  const app = App.make({
    ticks: Route.get("/", { success: Sse.schema(Message, { retry: "1 second" }) }, () =>
      Effect.succeed(Stream.make(tick, Sse.event("bye")))
    )
  })
  served("returns a stream of values, which Effect's decoder reads", app, (client) =>
    Effect.gen(function* () {
      const response = yield* client.get("/")
      assert.strictEqual(response.headers["content-type"], "text/event-stream")
      const events = decoded(yield* response.text)
      assert.deepInclude(events[0], { _tag: "Retry" })
      const [, first, last] = events as [Codec.Retry, Codec.Event, Codec.Event]
      assert.strictEqual(first.event, "Tick")
      const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.toCodecJson(Message)))
      assert.deepStrictEqual(yield* decode(first.data), tick)
      assert.strictEqual(last.data, "bye")
    })
  )
  it("says what it sends", () => {
    const success = Sse.schema(Message)
    expectTypeOf(success).toEqualTypeOf<Response.Described<Stream.Stream<typeof Message.Type | Sse.Event, unknown>>>()
    assert.deepStrictEqual([success.schema, success.status, success.contentType], [Message, 200, "text/event-stream"])
  })
})

describe("whatever the client accepts, and by any method,", () => {
  const app = App.make({ it: Route.any("/", Effect.as(Request.method, of("a"))) })
  served("it is an event stream", app, (client) =>
    Effect.gen(function* () {
      for (const accept of ["text/event-stream", "application/json", "*/*"]) {
        const response = yield* client.post("/", { headers: { accept } })
        assert.strictEqual(response.headers["content-type"], "text/event-stream")
        assert.strictEqual(yield* response.text, ":\n\ndata: a\n\n")
      }
      const head = yield* client.head("/")
      assert.deepStrictEqual(
        [head.status, head.headers["content-type"], yield* head.text],
        [200, "text/event-stream", ""]
      )
    })
  )
})

it("mistakes do not compile", () => {
  // @ts-expect-error numbers are no texts: they need a schema
  void (() => Sse.response(Stream.make(1)))
  // @ts-expect-error the values are not those of the schema
  void (() => Sse.response(Stream.make("a"), { schema: Schema.Int }))
  // @ts-expect-error ids are of values, which a schema says
  void (() => Sse.response(Stream.make("a"), { id: () => "1" }))
})
