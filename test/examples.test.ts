/**
 * Every example does what its first lines say: the commands there are run, in memory and on a socket. What no command shows
 * follows, by example.
 */
import * as Fs from "node:fs"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Streams from "../examples/32-streams.ts"
import * as Logging from "../examples/33-logging.ts"
import * as ServerLayer from "../examples/36-server-layer.ts"
import * as Engines from "../examples/38-other-engines.ts"
import type * as App from "../src/App.ts"
import * as Server from "../src/server/Server.ts"
import * as Testing from "../src/testing/Testing.ts"
import * as Curl from "./curl.ts"
import * as Program from "./program.ts"
import * as Sources from "./sources.ts"

interface Example {
  readonly app: App.App<never, never, App.Routes>
  /** The services that the app needs. */
  readonly layer?: Layer.Layer<never>
}

const folder = `${Sources.root}examples/`
const files = Fs.readdirSync(folder).filter((name) => /^\d/.test(name))

const clients = [
  ["in memory", Testing.client],
  ["on a socket", Testing.socketClient]
] as const

// Time goes on by itself while the effect runs, faster than outside.
const hurried = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
  return Effect.raceFirst(effect, Effect.forever(Effect.andThen(TestClock.adjust("50 millis"), turn)))
}

it("the examples are numbered, each once", () => {
  const numbers = files.map((name) => /^(\d\d)-[a-z0-9-]+\.ts$/.exec(name)?.[1])
  assert.strictEqual(new Set(numbers).size, files.length)
  assert.notInclude(numbers, undefined)
})

for (const name of files) {
  describe(name, async () => {
    const text = Fs.readFileSync(folder + name, "utf8")
    const { app, layer = Layer.empty }: Example = await import(/* @vite-ignore */ folder + name)
    const commands = Curl.parse(text)

    it("says what it shows, by which commands, in under 60 lines, and runs as a program", () => {
      assert.match(text, /^\/\/ [A-Z].*[.]\n\/\/ {3}curl /)
      assert.isBelow(text.trimEnd().split("\n").length, 60)
      assert.match(text, /\nif \(import\.meta\.main\) /)
    })

    for (const [place, make] of clients) {
      it.effect(`does what its commands say ${place}`, () =>
        make(app).pipe(
          Effect.flatMap((client) => Effect.forEach(commands, (command) => Curl.run(client, command))),
          hurried,
          Effect.provide(layer)
        )
      )
    }
  })
}

type Line = { readonly message: unknown; readonly annotations: unknown }

/** What is logged while the effect runs. */
const logged = Effect.fnUntraced(function* (
  use: (lines: ReadonlyArray<Line>) => Effect.Effect<void, unknown, Scope.Scope>
) {
  const lines: Array<Line> = []
  const logger = Logger.map(Logger.formatStructured, ({ annotations, message }) => lines.push({ annotations, message }))
  yield* Effect.provide(use(lines), Logger.layer([logger]))
})

describe("32-streams.ts", () => {
  it.effect("stops to tick when the client leaves", () =>
    logged(
      Effect.fnUntraced(function* (lines) {
        const client = yield* Effect.provide(Testing.socketClient(Streams.app), Streams.layer)
        const socket = yield* client.connect
        const ticked = yield* Deferred.make<void>()
        socket.on("data", (bytes) => String(bytes).includes("tick 1") && Deferred.doneUnsafe(ticked, Effect.void))
        socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        yield* hurried(Deferred.await(ticked))
        socket.destroy()
        const stopped = () => lines.some(({ message }) => message === "the ticking has stopped")
        const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        yield* Effect.repeat(turn, { until: stopped })
      })
    )
  )
})

describe("33-logging.ts", () => {
  it.effect("logs the id of the request with each line, and what died", () =>
    logged(
      Effect.fnUntraced(function* (lines) {
        const client = yield* Testing.client(Logging.app)
        const { headers } = yield* client.get("/")
        assert.deepInclude(lines, {
          message: "somebody says hello",
          annotations: { request: headers["x-request-id"] }
        })
        yield* client.get("/bug")
        assert.deepInclude(lines.at(-1)?.annotations, { "http.method": "GET", "http.path": "/bug" })
        assert.match(String(lines.at(-1)?.message), /The handler died/)
      })
    )
  )
})

describe("34-run-options.ts", () => {
  it.live("after SIGTERM answers the request in flight and exits with 0", () =>
    Effect.gen(function* () {
      const program = yield* Program.start("examples/34-run-options.ts")
      const url = yield* program.printed(/Running on (http:\S+) =/)
      const slow = yield* Effect.forkScoped(get(`${url}/slow`))
      yield* get(url)
      program.kill("SIGTERM")
      assert.strictEqual(yield* Fiber.join(slow), "Done")
      assert.strictEqual(yield* program.code, 0)
    })
  )
})

describe("72-workers.ts", () => {
  it.live("has a process for each core, and ends with all of them", () =>
    Effect.gen(function* () {
      const program = yield* Program.start("examples/72-workers.ts")
      const url = yield* program.printed(/Running on (http:\S+) =/)
      const pids = yield* program.printed(/process(?:es)? ([\d, ]+)\) run/)
      const answers = yield* Effect.forEach(pids.split(", "), () => get(url))
      assert.sameMembers(
        [...answers],
        pids.split(", ").map((pid) => `hello from process ${pid}`)
      )
      program.kill("SIGTERM")
      assert.strictEqual(yield* program.code, 0)
    })
  )
})

describe("73-recycled-workers.ts", () => {
  it.live("logs as JSON, its supervisor too", () =>
    Effect.gen(function* () {
      const program = yield* Program.start("examples/73-recycled-workers.ts")
      yield* program.printed(/"message":"2 workers \(processes [\d, ]+\) run on /)
      program.kill("SIGTERM")
      yield* program.printed(/"message":"Stopped in [^"]*"[^\n]*"worker":2/)
      assert.strictEqual(yield* program.code, 0)
    })
  )
})

describe("35-start.ts", () => {
  it.live("asks itself, stops and ends", () =>
    Effect.gen(function* () {
      const program = yield* Program.start("examples/35-start.ts")
      yield* program.printed(/^Hello from http:\/\/127\.0\.0\.1:\d+\nThe server has stopped\n$/)
      assert.strictEqual(yield* program.code, 0)
    })
  )
})

describe("36-server-layer.ts", () => {
  it.live("listens on both addresses", () =>
    Effect.gen(function* () {
      const { addresses } = yield* Server.Server
      assert.lengthOf(addresses, 2)
      const answers = yield* Effect.forEach(addresses, ({ url }) => get(url))
      assert.deepStrictEqual(answers, ["greeting 1", "greeting 2"])
    }).pipe(
      Effect.provide(ServerLayer.main),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown({ PORT: "0" }))
    )
  )
})

describe("38-other-engines.ts", () => {
  it.effect("answers under the web standard", () =>
    Effect.gen(function* () {
      const response = yield* Effect.promise(() => Engines.fetch(new globalThis.Request("http://localhost/Ada")))
      assert.strictEqual(yield* Effect.promise(() => response.text()), "Hello, Ada")
    })
  )

  it.effect("answers under Effect's own server", () =>
    Effect.gen(function* () {
      yield* Layer.build(Engines.serve)
      const response = yield* HttpClient.get("/Ada")
      assert.strictEqual(yield* response.text, "Hello, Ada")
    }).pipe(Effect.provide(NodeHttpServer.layerTest))
  )
})

describe("39-testing.ts", () => {
  it.live("finds the app as it should be, in memory and on a socket", () =>
    Effect.gen(function* () {
      const program = yield* Program.start("examples/39-testing.ts")
      yield* program.printed(/^http:\/\/app\.test is as it should be\nhttp:\/\/127\.\S+ is as it should be\n$/)
      assert.strictEqual(yield* program.code, 0)
    })
  )
})

const get = (url: string): Effect.Effect<string> =>
  Effect.promise(async (signal) => (await fetch(url, { signal })).text())
