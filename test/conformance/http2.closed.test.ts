/**
 * HTTP/2 by the rules of RFC 9113: frames for streams that are closed, and windows of few bytes.
 *
 * What comes for a closed stream may be an error of the connection, and may be ignored (§5.1): nghttp2 ignores it. RFC 7540 had both
 * as errors, and h2spec, which goes by it, asks for them.
 *
 * @spec RFC 9113 §5.1, §6.9, §7
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as H2 from "../server/http2/frames.ts"
import { start } from "../server/started.ts"
import { app } from "./http2Table.ts"

const { frame, get, head, settings, type, uint32 } = H2

const reset = (stream: number, code = 8) => frame(type.reset, 0, stream, uint32(code))
const data = (stream: number) => frame(type.data, 0, stream, Buffer.alloc(1))
const open = head(1, get("/echo", "POST"), 0)

const ignored: ReadonlyArray<readonly [rule: string, first: ReadonlyArray<Uint8Array>, late: Uint8Array]> = [
  ["DATA behind RST_STREAM", [open, reset(1)], data(1)],
  ["HEADERS behind RST_STREAM", [open, reset(1)], head(1, get())],
  ["WINDOW_UPDATE behind RST_STREAM", [open, reset(1)], frame(type.window, 0, 1, uint32(1))],
  ["a second RST_STREAM", [open, reset(1)], reset(1)],
  ["a RST_STREAM of an unknown code", [open], reset(1, 255)],
  ["PRIORITY for a stream that was answered", [head(1, get())], frame(type.priority, 0, 1, Buffer.alloc(5))],
  ["DATA for a stream that was answered", [head(1, get())], data(1)],
  ["HEADERS for a stream that was answered", [head(1, get())], head(1, get())],
  // These are to be errors of the connection (§5.1.1, §6.3): nghttp2 ignores them too.
  ["HEADERS of a stream below another one", [head(5, get())], head(3, get())],
  ["PRIORITY on stream 0", [], frame(type.priority, 0, 0, Buffer.alloc(5))],
  // An error of RFC 7540 §5.3.1, which RFC 9113 has removed.
  ["PRIORITY of a stream on itself", [], frame(type.priority, 0, 3, Buffer.concat([uint32(3), Buffer.alloc(1)]))]
]

describe("RFC 9113 §5.1 what is ignored", () => {
  for (const [rule, first, late] of ignored) {
    it.live(rule, () =>
      Effect.gen(function* () {
        const { server } = yield* start(app, { h2c: true })
        const client = yield* H2.open(server, ...first)
        if (first.length > 0 && first[0] !== open) {
          yield* client.wait(({ flags, kind }) => kind === type.data && flags === 1)
        }
        yield* client.send(late, head(7, get()))
        assert.strictEqual(yield* client.outcome(7), "200")
      }).pipe(Effect.scoped)
    )
  }

  it.live("CONTINUATION is not: goaway 1", () =>
    Effect.gen(function* () {
      const { server } = yield* start(app, { h2c: true })
      const client = yield* H2.open(server, open, reset(1), frame(type.continuation, H2.endHeaders, 1))
      assert.strictEqual(yield* client.outcome(7), "goaway 1")
    }).pipe(Effect.scoped)
  )
})

describe("RFC 9113 §6.9 windows of few bytes", () => {
  const sizes = (client: H2.Client) =>
    client
      .frames()
      .filter(({ kind, stream }) => kind === type.data && stream === 1)
      .map(({ payload }) => payload.length)

  it.live("no more is sent than the window has, whichever way it grows", () =>
    Effect.gen(function* () {
      const { server } = yield* start(app, { h2c: true })
      const client = yield* H2.open(server, settings([4, 100], [4, 1]), head(1, get()))
      yield* client.wait(({ kind }) => kind === type.data)
      yield* client.send(settings([4, 2]))
      yield* client.wait(({ kind }) => kind === type.data && sizes(client).length === 2)
      yield* client.send(frame(type.window, 0, 1, uint32(10)))
      yield* client.wait(({ flags, kind }) => kind === type.data && flags === 1)
      assert.deepStrictEqual(sizes(client), [1, 1, 2])
    }).pipe(Effect.scoped)
  )

  it.live("a window may be negative, and has to grow above nothing first", () =>
    Effect.gen(function* () {
      const { server } = yield* start(app, { h2c: true })
      const client = yield* H2.open(server, settings([4, 3]), head(1, get()))
      yield* client.wait(({ kind }) => kind === type.data)
      yield* client.send(settings([4, 2]), frame(type.window, 0, 1, uint32(2)))
      yield* client.wait(({ flags, kind }) => kind === type.data && flags === 1)
      assert.deepStrictEqual(sizes(client), [3, 1])
    }).pipe(Effect.scoped)
  )
})
