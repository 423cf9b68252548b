/**
 * Rolling restarts: the new worker listens before the old one goes, and no client notices.
 */
import * as Http2 from "node:http2"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Folder from "../../folder.ts"
import { bundle } from "./bundle.ts"
import * as Load from "./load.ts"
import { gone, running } from "./supervised.ts"

const folder = Folder.make()
const app = folder.at("app.mjs")
beforeAll(() => bundle("app.ts", app))

describe("200 rolling restarts under load", () => {
  it.live(
    "are noticed by nobody: 100 times SIGHUP to two workers",
    () =>
      Effect.gen(function* () {
        const program = yield* running(app, {}, { NODE_COMPILE_CACHE: folder.at("cache") })
        const stop = yield* Load.start(program.url())
        const all = new Set(program.workers())
        for (let roll = 1; roll <= 100; roll++) {
          yield* program.kill("SIGHUP")
          yield* program.says(") run now {", roll)
          for (const pid of program.workers()) all.add(pid)
        }
        const { counts, failures, resumed, told } = yield* stop
        assert.deepStrictEqual(failures, [])
        // The two of the beginning, and 200 that came after them.
        assert.strictEqual(all.size, 202)
        for (const [kind, count] of Object.entries(counts)) assert.isAbove(count, 100, kind)
        assert.strictEqual(Object.keys(counts).length, 8)
        assert.isAbove(Math.min(resumed, told), 20)
        yield* program.kill("SIGTERM")
        assert.strictEqual(yield* program.ended, 0)
        yield* gone([...all])
        // Nothing had to be cut off.
        assert.notInclude(program.output(), "WARN")
        assert.strictEqual(program.errors(), "")
      }),
    600_000
  )
})

/** Asks over HTTP/2 without pause, on a new session where the server has asked for it: what was not the whole right answer. */
const askHttp2 = (url: string) =>
  Effect.gen(function* () {
    const failures: Array<string> = []
    const seen = { requests: 0, sessions: 0, isOver: false }
    const one = (session: Http2.ClientHttp2Session) =>
      Effect.callback<string>((resume) => {
        const stream = session.request({ ":path": "/" })
        let [status, text] = ["", ""]
        stream.on("response", (headers) => (status = String(headers[":status"])))
        stream.on("data", (chunk) => (text += chunk))
        stream.on("end", () => resume(Effect.succeed(`${status} ${text}`)))
        stream.on("error", (error) => resume(Effect.succeed(String(error))))
      })
    const asking = Effect.gen(function* () {
      while (!seen.isOver) {
        const session = Http2.connect(url)
        session.on("error", (error) => failures.push(String(error)))
        seen.sessions++
        while (!seen.isOver && !session.closed) {
          const answer = yield* one(session)
          seen.requests++
          if (!/^200 \d+$/.test(answer)) failures.push(answer)
          yield* Effect.sleep("5 millis")
        }
        session.close()
      }
    })
    const fiber = yield* Effect.forkScoped(asking)
    const stop = Effect.sync(() => {
      seen.isOver = true
    })
    return Effect.as(Effect.andThen(stop, Fiber.join(fiber)), { failures, seen })
  })

it.live(
  "a rolling restart of HTTP/2 tells its clients to go, and answers all that they have asked",
  () =>
    Effect.gen(function* () {
      const program = yield* running(app, { site: ["tcp", { host: "127.0.0.1", port: 0, h2c: true }] })
      const stops = yield* Effect.forEach([1, 2, 3], () => askHttp2(program.url()))
      for (let roll = 1; roll <= 10; roll++) {
        yield* program.kill("SIGHUP")
        yield* program.says(") run now {", roll)
      }
      for (const stop of stops) {
        const { failures, seen } = yield* stop
        assert.deepStrictEqual(failures, [])
        assert.isAbove(seen.requests, 20)
        assert.isAbove(seen.sessions, 3)
      }
      yield* program.kill("SIGTERM")
      assert.strictEqual(yield* program.ended, 0)
      assert.notInclude(program.output(), "WARN")
    }),
  60_000
)
