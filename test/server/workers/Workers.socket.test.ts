/**
 * `Server.run` with workers: one process per core, as real processes.
 */
import * as Net from "node:net"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Folder from "../../folder.ts"
import { bundle } from "./bundle.ts"
import { alive, get, gone, running, start } from "./supervised.ts"

const folder = Folder.make()
const app = folder.at("app.mjs")
beforeAll(() => bundle("app.ts", app))

/** The processes that answer to so many requests, each on a connection of its own. */
const answering = (url: string, count = 4) =>
  Effect.map(
    Effect.forEach(Array(count), () => get(url)),
    (all) => [...new Set(all)].map((answer) => Number(answer.slice(4))).sort()
  )

describe("a program with workers", () => {
  it.live("says once where it listens, and all workers answer there", () =>
    Effect.gen(function* () {
      const program = yield* running(app)
      assert.strictEqual(program.output().split("Running on").length, 2)
      const [...workers] = program.workers()
      assert.strictEqual(workers.length, 2)
      assert.deepStrictEqual(yield* answering(program.url()), workers.sort())
      assert.notInclude(workers, program.pid)
    })
  )

  it.live("has as many as there are cores with auto", () =>
    Effect.gen(function* () {
      const { availableParallelism } = yield* Effect.promise(() => import("node:os"))
      const program = yield* running(app, { workers: "auto" })
      assert.strictEqual(program.workers().length, availableParallelism())
    })
  )

  it.live("tells the lines of workers and supervisor apart", () =>
    Effect.gen(function* () {
      const program = yield* running(app, { accessLog: true })
      yield* get(`${program.url()}/log`)
      yield* program.kill("SIGTERM")
      assert.strictEqual(yield* program.ended, 0)
      const lines = program.output().split("\n")
      const [first, second] = program.workers()
      const line = (text: string) => lines.filter((line) => line.includes(text)).join("\n")
      assert.match(line("a line of the app"), new RegExp(`worker: 1, pid: ${first} }`))
      assert.include(line("workers (processes"), `{ supervisor: ${program.pid} }`)
      // One line of the drain for each.
      assert.include(line("Stopped in"), `worker: 2, pid: ${second} }`)
      assert.strictEqual(line("Stopped in").split("\n").length, 2)
      // The access log is theirs.
      assert.match(program.output(), /GET \/log[\s\S]*worker: 1/)
    })
  )

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it.live(`ends with 0 at ${signal}, after the requests of all workers`, () =>
      Effect.gen(function* () {
        const program = yield* running(app)
        const workers = program.workers()
        const asked = yield* Effect.forkScoped(
          Effect.forEach([1, 2], () => get(`${program.url()}/slow`), { concurrency: 2 })
        )
        yield* program.says("asked", 2)
        yield* program.kill(signal)
        assert.deepStrictEqual((yield* Fiber.join(asked)).sort(), workers.map((pid) => `200 slow ${pid}`).sort())
        assert.strictEqual(yield* program.ended, 0)
        assert.deepStrictEqual(workers.filter(alive), [])
        assert.strictEqual(program.errors(), "")
      })
    )
  }

  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143]
  ] as const) {
    it.live(`ends at once with ${code} at a second signal, ${signal}, and its workers with it`, () =>
      Effect.gen(function* () {
        const program = yield* running(app)
        const asked = yield* Effect.forkScoped(Effect.exit(get(`${program.url()}/slow`)))
        yield* program.says("asked")
        yield* program.kill("SIGTERM")
        yield* program.says("Stopped in")
        yield* program.kill(signal)
        assert.strictEqual(yield* program.ended, code)
        assert.strictEqual((yield* Fiber.join(asked))._tag, "Failure")
        yield* gone(program.workers())
      })
    )
  }

  it.live("may get its signal together with all of its workers, as of a terminal", () =>
    Effect.gen(function* () {
      const program = yield* running(app)
      const asked = yield* Effect.forkScoped(get(`${program.url()}/slow`))
      yield* program.says("asked")
      for (const pid of [program.pid, ...program.workers()]) process.kill(pid, "SIGTERM")
      assert.match(yield* Fiber.join(asked), /^200 slow/)
      assert.strictEqual(yield* program.ended, 0)
      assert.notInclude(program.output(), "another one starts")
    })
  )

  it.live("that cannot listen ends with 1 and says why, once", () =>
    Effect.gen(function* () {
      const server = yield* Effect.acquireRelease(
        Effect.callback<Net.Server>((resume) => {
          const server = Net.createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const { port } = server.address() as Net.AddressInfo
      const program = yield* start(app, { port })
      assert.strictEqual(yield* program.ended, 1)
      const cure = "the port is in use; stop what listens there, or give another `port` (0 takes a free one)"
      assert.strictEqual(program.errors(), `Cannot listen on 127.0.0.1:${port}: ${cure}\n`)
      assert.strictEqual(program.output(), "")
    })
  )

  it.live("whose supervisor is killed finishes what is in flight, and leaves no process", () =>
    Effect.gen(function* () {
      const program = yield* running(app)
      const asked = yield* Effect.forkScoped(get(`${program.url()}/slow`))
      yield* program.says("asked")
      yield* program.kill("SIGKILL")
      assert.match(yield* Fiber.join(asked), /^200 slow/)
      yield* gone(program.workers())
    })
  )

  it.live("that does not handle signals ends as the system has it, and its workers drain", () =>
    Effect.gen(function* () {
      const program = yield* running(app, { handleSignals: false })
      const asked = yield* Effect.forkScoped(get(`${program.url()}/slow`))
      yield* program.says("asked")
      yield* program.kill("SIGTERM")
      assert.match(yield* Fiber.join(asked), /^200 slow/)
      assert.strictEqual(yield* program.ended, "SIGTERM")
      yield* gone(program.workers())
    })
  )
})

describe("a worker that is killed", () => {
  it.live("loses its own requests, and is replaced", () =>
    Effect.gen(function* () {
      const program = yield* running(app)
      const before = program.workers()
      const asked = yield* Effect.forkScoped(
        Effect.forEach([1, 2], () => Effect.exit(get(`${program.url()}/slow`)), { concurrency: 2 })
      )
      yield* program.says("asked", 2)
      process.kill(before[0]!, "SIGKILL")
      const ends = yield* Fiber.join(asked)
      assert.deepStrictEqual(ends.map(({ _tag }) => _tag).sort(), ["Failure", "Success"])
      yield* program.says("A new worker 1 listens")
      const after = yield* answering(program.url())
      assert.deepStrictEqual(
        after.filter((pid) => before.includes(pid)),
        [before[1]]
      )
      assert.strictEqual(after.length, 2)
      assert.include(program.output(), `worker 1 (process ${before[0]}) has ended: SIGKILL; another one starts`)
    })
  )

  it.live("because its event loop is blocked is replaced, and says so", () =>
    Effect.gen(function* () {
      const program = yield* running(app, { workers: { count: 2, hangTimeout: "2 seconds" } })
      const before = program.workers()
      const blocked = yield* Effect.forkScoped(Effect.exit(get(`${program.url()}/block`)))
      yield* program.says("listens")
      assert.strictEqual((yield* Fiber.join(blocked))._tag, "Failure")
      const said =
        /worker (\d) \(process (\d+)\) does not answer, and was killed: its event loop has been blocked for 2s/
      const [, number, pid] = said.exec(program.output()) ?? []
      assert.strictEqual(before[Number(number) - 1], Number(pid))
      const after = yield* answering(program.url())
      assert.strictEqual(after.length, 2)
      assert.notInclude(after, Number(pid))
      // The other one has served all the time.
      assert.strictEqual(program.output().split("was killed").length, 2)
    })
  )

  it.live("leaves no client waiting whose connection was on its way to it", () =>
    Effect.gen(function* () {
      const program = yield* running(app)
      const url = program.url()
      const ended = { hung: 0, Success: 0, Failure: 0, isOver: false }
      const one = Effect.exit(get(url)).pipe(
        Effect.timeoutOption("5 seconds"),
        Effect.map((exit) => {
          const end = exit._tag === "None" ? "hung" : exit.value._tag
          ended[end]++
          return end
        })
      )
      const client = Effect.gen(function* () {
        while (!ended.isOver) yield* one
      })
      const clients = yield* Effect.forkScoped(
        Effect.all(
          Array.from({ length: 20 }, () => client),
          { concurrency: 20, discard: true }
        )
      )
      for (let kill = 1; kill <= 4; kill++) {
        yield* Effect.sleep("300 millis")
        process.kill(Number((yield* get(url)).slice(4)), "SIGKILL")
        yield* program.says("listens", kill)
      }
      ended.isOver = true
      yield* Fiber.join(clients)
      assert.strictEqual(ended.hung, 0)
      assert.isAbove(ended.Success, 100)
      yield* program.kill("SIGTERM")
      assert.strictEqual(yield* program.ended, 0)
    })
  )
})
