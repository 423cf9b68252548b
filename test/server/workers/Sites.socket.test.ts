/**
 * Workers on all kinds of sites, what systemd is told, and what memory they do not share.
 */
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Net from "node:net"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Folder from "../../folder.ts"
import { run } from "../../run.ts"
import { until } from "../both.ts"
import * as Certificates from "../certificates.ts"
import { bundle } from "./bundle.ts"
import { get, gone, running, start } from "./supervised.ts"

const folder = Folder.make()
const app = folder.at("app.mjs")
beforeAll(() => bundle("app.ts", app))

/** A program that has one process alone. */
const alone = (env: Readonly<Record<string, string>> = {}) =>
  Effect.tap(start(app, { workers: null }, env), (program) => program.says("quit)"))

const curl = (...args: ReadonlyArray<string>) => run("curl", ["-sS", ...args], folder.path)

describe("workers share", () => {
  it.live("a unix socket, with its mode, through a roll and a crash; it is gone at the end", () =>
    Effect.gen(function* () {
      const path = folder.at("app.sock")
      const program = yield* running(app, { site: ["unix", path] })
      const old = program.workers()
      const ask = Effect.map(curl("--unix-socket", path, "http://a/"), ({ output }) => Number(output))
      const both = Effect.map(
        Effect.forEach([1, 2], () => ask),
        (pids) => pids.sort()
      )
      assert.deepStrictEqual(yield* both, old.toSorted())
      assert.strictEqual(Fs.statSync(path).mode & 0o777, 0o660)
      yield* program.kill("SIGHUP")
      yield* program.says(") run now {")
      yield* gone(old)
      const [first, ...others] = program.workers()
      assert.deepStrictEqual(yield* both, program.workers().toSorted())
      process.kill(first!, "SIGKILL")
      yield* program.says("A new worker 1 listens")
      assert.includeMembers([...(yield* both)], others)
      yield* program.kill("SIGTERM")
      assert.strictEqual(yield* program.ended, 0)
      assert.isFalse(Fs.existsSync(path))
    })
  )

  it.live("a unix socket that comes again when all of them have crashed", () =>
    Effect.gen(function* () {
      const path = folder.at("again.sock")
      const program = yield* running(app, { site: ["unix", path], workers: 1 })
      process.kill(program.workers()[0]!, "SIGKILL")
      yield* program.says("A new worker 1 listens")
      assert.match((yield* curl("--unix-socket", path, "http://a/")).output, /^\d+$/)
      assert.strictEqual(Fs.statSync(path).mode & 0o777, 0o660)
      yield* program.kill("SIGTERM")
      assert.strictEqual(yield* program.ended, 0)
      assert.isFalse(Fs.existsSync(path))
    })
  )

  it.live("a site with TLS, through a roll", () =>
    Effect.gen(function* () {
      const pair = Certificates.selfSigned("localhost")
      const program = yield* running(app, { site: ["tls", { host: "127.0.0.1", port: 0, ...pair }] })
      const old = program.workers()
      const ask = Effect.map(curl("-k", program.url()), ({ output }) => Number(output))
      assert.sameMembers([yield* ask, yield* ask], [...old])
      yield* program.kill("SIGHUP")
      yield* program.says(") run now {")
      yield* gone(old)
      assert.sameMembers([yield* ask, yield* ask], [...program.workers()])
    })
  )

  // A worker of which Node knows no better would send them back, to be given to the next, without end.
  it.live("no more handshakes than their limit: further connections are closed at once, for all workers are full", () =>
    Effect.gen(function* () {
      const pair = Certificates.selfSigned("localhost")
      const site = ["tls", { host: "127.0.0.1", port: 0, ...pair }]
      const program = yield* running(app, { site, maxConnections: 10 })
      const port = Number(new URL(program.url()).port)
      const [count, most] = [150, 2 * 2 * (10 + 16)]
      const sockets = Array.from({ length: count }, () => Net.connect(port, "127.0.0.1").on("error", () => {}))
      yield* Effect.addFinalizer(() => Effect.sync(() => sockets.map((socket) => socket.destroy())))
      for (const socket of sockets) socket.resume()
      yield* until(() => sockets.filter(({ closed }) => closed).length === count - most)
    })
  )
})

/** A program to be found on the PATH in place of systemd-notify, which writes down what it is told. */
const notifier = (): { readonly env: Readonly<Record<string, string>>; readonly told: () => string } => {
  const bin = Fs.mkdtempSync(folder.at("bin"))
  Fs.writeFileSync(`${bin}/systemd-notify`, `#!/bin/sh\necho "$@" >> ${bin}/told\n`, { mode: 0o755 })
  const env = { PATH: `${bin}:${process.env.PATH}`, NOTIFY_SOCKET: "/run/nobody" }
  return { env, told: () => Fs.readFileSync(`${bin}/told`, "utf8") }
}

describe("systemd", () => {
  it.live("is told of ready, reload and stop of workers by the supervisor", () =>
    Effect.gen(function* () {
      const { env, told } = notifier()
      const program = yield* running(app, {}, env)
      const first = program.workers().join(", ")
      yield* program.kill("SIGHUP")
      yield* program.says(") run now {")
      const second = program.workers().join(", ")
      yield* program.kill("SIGTERM")
      assert.strictEqual(yield* program.ended, 0)
      assert.deepStrictEqual(
        told()
          .replace(/MONOTONIC_USEC=\d{6,}/, "MONOTONIC_USEC=n")
          .split("\n"),
        [
          `READY=1 STATUS=2 workers (processes ${first}) MAINPID=${program.pid}`,
          "RELOADING=1 MONOTONIC_USEC=n STATUS=replacing the workers",
          `READY=1 STATUS=2 workers (processes ${second}) MAINPID=${program.pid}`,
          "STOPPING=1 STATUS=stopping",
          ""
        ]
      )
    })
  )

  it.live("is told of ready and stop of a program without workers, and that it is alive where it watches", () =>
    Effect.gen(function* () {
      const { env, told } = notifier()
      const program = yield* alone({ ...env, WATCHDOG_USEC: "400000" })
      yield* Effect.sleep("700 millis")
      yield* program.kill("SIGTERM")
      assert.strictEqual(yield* program.ended, 0)
      const lines = told().trim().split("\n")
      assert.strictEqual(lines[0], `READY=1 STATUS=serving ${program.url()} MAINPID=${program.pid}`)
      assert.isAbove(lines.filter((line) => line === "WATCHDOG=1").length, 1)
      assert.strictEqual(lines.at(-1), "STOPPING=1 STATUS=stopping")
    })
  )

  it.live("hands its sockets over to the supervisor, for all workers", () =>
    Effect.gen(function* () {
      const server = Net.createServer().listen(0, "127.0.0.1")
      yield* Effect.promise(() => once(server, "listening"))
      const { port } = server.address() as Net.AddressInfo
      const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle
      const args = JSON.stringify({ site: ["systemd"] })
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          ChildProcess.spawn("sh", ["-c", `LISTEN_PID=$$ exec "$0" "$@"`, process.execPath, app, args], {
            env: { ...process.env, LISTEN_FDS: "1" },
            stdio: ["ignore", "pipe", "inherit", fd]
          })
        ),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      let output = ""
      const ended = once(child, "close")
      const ready = (count: number) =>
        Effect.callback<void>((resume) => {
          child.stdout!.on("data", (chunk) => {
            output += chunk
            if (output.split(") run").length > count) resume(Effect.void)
          })
        })
      yield* ready(1)
      server.close()
      assert.include(output, `Running on http://127.0.0.1:${port} =`)
      const url = `http://127.0.0.1:${port}`
      const old = yield* Effect.forEach([1, 2], () => get(url))
      assert.strictEqual(new Set(old).size, 2)
      child.kill("SIGHUP")
      yield* ready(2)
      const now = yield* Effect.forEach([1, 2], () => get(url))
      assert.strictEqual(new Set([...old, ...now]).size, 4)
      child.kill("SIGTERM")
      assert.deepStrictEqual(yield* Effect.promise(() => ended), [0, null])
    })
  )
})

describe("memory that workers do not share", () => {
  it.live("is said once by each worker that uses it", () =>
    Effect.gen(function* () {
      const program = yield* running(app)
      for (const path of ["/limited", "/record"]) for (const _ of [1, 2, 3, 4]) yield* get(`${program.url()}${path}`)
      const opened = Effect.callback<void>((resume) => {
        const socket = new WebSocket(`${program.url().replace("http", "ws")}/room`)
        socket.onopen = () => resume(Effect.void)
      })
      for (const _ of [1, 2, 3, 4]) yield* opened
      yield* program.kill("SIGTERM")
      assert.strictEqual(yield* program.ended, 0)
      const said = (text: string) => program.output().split(`: each worker has its own; ${text}`).length - 1
      assert.strictEqual(said("give Room.layerRedis to the server"), 2)
      assert.strictEqual(said("take RecordStore.redis or RecordStore.sql"), 2)
      assert.strictEqual(said("give it a `limiter` over Redis, or a share of the limit"), 2)
    })
  )

  it.live("is no matter for a program without workers", () =>
    Effect.gen(function* () {
      const program = yield* alone()
      yield* get(`${program.url()}/record`)
      yield* program.kill("SIGTERM")
      assert.strictEqual(yield* program.ended, 0)
      assert.notInclude(program.output(), "each worker has its own")
    })
  )
})
