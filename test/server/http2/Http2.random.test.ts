/**
 * Frames at random, in pieces, with bytes that are changed, from clients that leave: the server goes on and keeps nothing.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as App from "../../../src/App.ts"
import * as Body from "../../../src/Body.ts"
import * as Request from "../../../src/Request.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import * as Folder from "../../folder.ts"
import * as Seeded from "../../seeded.ts"
import { recorder, until } from "../both.ts"
import { start } from "../started.ts"
import * as H2 from "./frames.ts"

const { frame, get, head, settings, type, uint32 } = H2

const folder = Folder.make({ "a.bin": Folder.bytes(1_000_000) })
const app = App.make({
  home: Route.get("/", Response.text("home")),
  never: Route.get("/never", Effect.never),
  large: Route.get("/large", Response.text("a".repeat(300_000))),
  file: Route.get("/file", Response.file(folder.at("a.bin"))),
  echo: Route.post(
    "/echo",
    Effect.map(Request.current, ({ stream }) => Response.stream(stream))
  ),
  read: Route.post(
    "/read",
    Effect.map(Body.bytes(), ({ length }) => Response.text(String(length)))
  ),
  ignored: Route.post("/ignored", Response.text("ignored"))
})

/** What one client sends. */
const bytes = ({ below, chance, pick }: Seeded.Seeded): Buffer => {
  const parts = [settings()]
  let id = 1
  const last = () => Math.max(1, id - 2)
  const makers: ReadonlyArray<() => void> = [
    () => {
      parts.push(head(id, get(pick(["/", "/never", "/large", "/file", "/nowhere"]))))
      id += 2
    },
    () => {
      parts.push(head(id, get(pick(["/echo", "/read", "/ignored"]), "POST"), 0))
      for (let at = below(4); at > 0; at--) parts.push(frame(type.data, below(2), id, Buffer.alloc(below(16_000))))
      id += 2
    },
    () => parts.push(frame(type.reset, 0, last(), uint32(below(14)))),
    () => parts.push(frame(type.window, 0, pick([0, last()]), uint32(1 + below(100_000)))),
    () => parts.push(settings([4, below(100_000)])),
    () => parts.push(frame(below(12), below(64), below(id + 3), Buffer.alloc(below(40), below(256))))
  ]
  for (let at = 1 + below(8); at > 0; at--) pick(makers)()
  const all = Buffer.concat(parts)
  if (chance(0.3)) for (let at = below(4); at > 0; at--) all[below(all.length)] = below(256)
  return all
}

describe("frames of HTTP/2 at random", () => {
  it.live("end no more than their connection, leave nothing behind, and are no error", () => {
    const { layer, logs } = recorder()
    const seeded = Seeded.make(9113)
    return Effect.gen(function* () {
      const { server } = yield* start(app, { h2c: true })
      const one = Effect.scoped(
        Effect.gen(function* () {
          const client = yield* H2.connect(server)
          if (seeded.chance(0.3)) client.socket.pause()
          const all = bytes(seeded)
          yield* client.send(H2.preface)
          for (let at = 0; at < all.length; ) {
            const length = seeded.chance(0.5) ? all.length : 1 + seeded.below(5000)
            yield* client.send(all.subarray(at, at + length))
            at += length
            if (seeded.chance(0.3)) yield* Effect.sleep(1)
          }
          yield* Effect.sleep(seeded.below(10))
          if (seeded.chance(0.3)) client.socket.resetAndDestroy()
        })
      )
      yield* Effect.forEach(Array.from({ length: 600 }), () => one, { concurrency: 8, discard: true })
      yield* until(() => server.connections() === 0)
      const other = yield* H2.open(server, head(1, get()))
      assert.strictEqual(yield* other.outcome(1), "200")
      assert.deepStrictEqual(
        logs.filter((line) => /^(Error|Fatal|Warn)/i.test(line)),
        []
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
})
