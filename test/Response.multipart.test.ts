/**
 * Responses of several parts: their framing, their length, and what is refused.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { App, Response, Route } from "effect-web"
import { served } from "effect-web/testing/Served"
import * as Folder from "./folder.ts"

const boundary = "line"
const stream = Stream.make("one,", new TextEncoder().encode("two"))

const app = App.make({
  fixed: Route.get(
    "/fixed",
    Response.multipart(
      [
        { body: "text" },
        { body: new Uint8Array([0, 13, 10, 255]), headers: { "Content-Type": "image/png", "Content-ID": "<a>" } },
        { body: "" }
      ],
      { boundary }
    )
  ),
  sized: Route.get(
    "/sized",
    Response.multipart([{ body: stream, contentLength: 7 }, { body: "end" }], { boundary, subtype: "related" })
  ),
  wrong: Route.get("/wrong", Response.multipart([{ body: stream, contentLength: 8 }], { boundary })),
  open: Route.get("/open", Response.multipart([{ body: stream }, { body: stream }], { boundary, status: 207 })),
  random: Route.get(
    "/random",
    Effect.sync(() => Response.multipart([{ body: "a" }]))
  )
})

served("parts of text and bytes are one body of known length", app, (client) =>
  Effect.gen(function* () {
    const { body, headers } = yield* Folder.ask(client, "/fixed")
    assert.strictEqual(headers["content-type"], "multipart/mixed; boundary=line")
    assert.strictEqual(headers["content-length"], String(body.length))
    assert.strictEqual(
      body.toString("latin1"),
      "--line\r\ncontent-type: text/plain; charset=utf-8\r\n\r\ntext\r\n" +
        "--line\r\ncontent-type: image/png\r\ncontent-id: <a>\r\n\r\n\0\r\n\xff\r\n" +
        "--line\r\ncontent-type: text/plain; charset=utf-8\r\n\r\n\r\n--line--\r\n"
    )
  })
)

const part = "--line\r\ncontent-type: application/octet-stream\r\n\r\none,two\r\n"

served("streams of known length are too", app, (client) =>
  Effect.gen(function* () {
    const { body, headers } = yield* Folder.ask(client, "/sized")
    assert.strictEqual(headers["content-type"], "multipart/related; boundary=line")
    assert.strictEqual(headers["content-length"], String(body.length))
    assert.strictEqual(
      body.toString(),
      `${part}--line\r\ncontent-type: text/plain; charset=utf-8\r\n\r\nend\r\n--line--\r\n`
    )
  })
)

served("streams of unknown length are chunked, with the status that is asked for", app, (client) =>
  Effect.gen(function* () {
    const { body, headers, status } = yield* Folder.ask(client, "/open")
    assert.deepStrictEqual([status, headers["content-length"]], [207, undefined])
    assert.strictEqual(body.toString(), `${part}${part}--line--\r\n`)
  })
)

served("a stream that is not as long as it says is cut off", app, (client) =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(Folder.ask(client, "/wrong"))
    assert.strictEqual(exit._tag, "Failure")
  })
)

served("a boundary is another one each time, and long", app, (client) =>
  Effect.gen(function* () {
    const type = Effect.map(Folder.ask(client, "/random"), ({ headers }) => headers["content-type"] ?? "")
    const [first, second] = [yield* type, yield* type]
    assert.match(first, /^multipart\/mixed; boundary=[\w]{36}$/)
    assert.notStrictEqual(first, second)
  })
)

describe("what is refused", () => {
  const one = [{ body: "a" }]
  const rows: ReadonlyArray<readonly [name: string, declare: () => unknown, message: RegExp]> = [
    ["no part", () => Response.multipart([]), /there is no part; give one at least/],
    [
      "a line break in a value",
      () => Response.multipart([{ body: "", headers: { a: "b\r\nc: d" } }]),
      /no header can carry/
    ],
    [
      "a line break in a name",
      () => Response.multipart([{ body: "", headers: { "a\r\nb": "c" } }]),
      /is no header name/
    ],
    [
      "a line break in a header of the response",
      () => Response.multipart(one, { headers: { a: "b\nc" } }),
      /no header can/
    ],
    ["a subtype that is none", () => Response.multipart(one, { subtype: "a/b" }), /"a\/b" is no subtype/],
    ["an empty boundary", () => Response.multipart(one, { boundary: "" }), /"" is no boundary/],
    ["a boundary of 71 characters", () => Response.multipart(one, { boundary: "a".repeat(71) }), /is no boundary/],
    ["a boundary with a space at its end", () => Response.multipart(one, { boundary: "a " }), /is no boundary/],
    ["a boundary with a line break", () => Response.multipart(one, { boundary: "a\r\nb" }), /is no boundary/],
    [
      "a boundary that is in a text",
      () => Response.multipart([{ body: "a\r\n--b\r\n" }], { boundary: "b" }),
      /is in a part/
    ],
    [
      "a boundary that is in bytes",
      () => Response.multipart([{ body: new TextEncoder().encode("--b") }], { boundary: "b" }),
      /"b" is in a part/
    ]
  ]
  for (const [name, declare, message] of rows) {
    it(name, () => {
      assert.throws(declare, TypeError, message)
    })
  }

  it("and not a boundary that has to be quoted", () => {
    const { headers } = Response.multipart(one, { boundary: "a b:c" })
    assert.strictEqual(headers["content-type"], 'multipart/mixed; boundary="a b:c"')
  })
})
