/**
 * Files on their way: readers that are slow or leave, files that shrink, are replaced or grow, a disk that is slow.
 */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { App, Compression, type Middleware, Response, Route } from "effect-web"
import * as Testing from "effect-web/testing/Testing"
import * as NodeFiles from "../src/server/internal/files/NodeFiles.ts"
import * as Folder from "./folder.ts"
import { both, get, until } from "./server/both.ts"

const size = 3_000_000
const content = Folder.bytes(size)
const folder = Folder.make({ large: content, "large.txt": content.subarray(0, 200_000) })

const isLinux = Fs.existsSync("/proc/self/fd")

/** How many descriptors are open of files below the path; only Linux tells. */
const open = (path: string): number =>
  (isLinux ? Fs.readdirSync("/proc/self/fd") : []).filter((fd) => {
    try {
      return Fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(path)
    } catch {
      return false
    }
  }).length

const large = App.make({ large: Route.get("/", Response.file(folder.at("large"))) })

both("a reader that is slow gets all of it", large, ({ client }) =>
  Effect.gen(function* () {
    const socket = yield* client.connect
    const chunks: Array<Buffer> = []
    socket.write(get("/", "Connection: close\r\n"))
    yield* Effect.callback<void>((resume) => {
      socket.on("data", (chunk: Buffer) => {
        chunks.push(Buffer.from(chunk))
        socket.pause()
        setImmediate(() => socket.resume())
      })
      socket.on("end", () => resume(Effect.void))
    })
    const all = Buffer.concat(chunks)
    assert.isTrue(all.subarray(all.indexOf("\r\n\r\n") + 4).equals(content))
    yield* until(() => open(folder.path) === 0)
  })
)

both("several are sent side by side, and one after the other on a connection", large, ({ client, wire }) =>
  Effect.gen(function* () {
    const all = yield* Effect.forEach([1, 2, 3, 4], () => Folder.ask(client, "/"), { concurrency: "unbounded" })
    for (const { body } of all) assert.isTrue(body.equals(content))
    yield* wire.send(get("/") + get("/") + get("/"))
    for (const _ of [1, 2, 3]) assert.isTrue((yield* wire.answer()).body.equals(content))
    yield* until(() => open(folder.path) === 0)
  })
)

both("of clients that leave in the middle no descriptor is left open, and nothing is logged", large, (given) =>
  Effect.gen(function* () {
    for (let turn = 0; turn < 30; turn++) {
      const socket = yield* given.client.connect
      socket.on("error", () => {})
      socket.write(get("/"))
      yield* Effect.callback<void>((resume) => {
        socket.once("data", () => resume(Effect.void))
      })
      if (turn % 3 === 0) yield* until(() => open(folder.path) > 0 || !isLinux)
      socket.destroy()
    }
    yield* until(() => open(folder.path) === 0)
    assert.deepStrictEqual(
      given.logs.filter((line) => !/^(?:Debug|Trace)/.test(line)),
      []
    )
  })
)

both("a HEAD, a 304 and a middleware that answers something else leave no descriptor open", replaced(), (given) =>
  Effect.gen(function* () {
    yield* Folder.settled
    const { headers } = yield* Folder.ask(given.client, "/large", {}, "HEAD")
    const second = yield* Folder.ask(given.client, "/large", { "if-none-match": headers.etag ?? "" })
    assert.strictEqual(second.status, 304)
    assert.strictEqual((yield* Folder.ask(given.client, "/replaced")).body.toString(), "something else")
    yield* until(() => open(folder.path) === 0)
  })
)

function replaced() {
  const instead: Middleware.Middleware = (handler) => Effect.as(handler, Response.text("something else"))
  return App.make({
    large: Route.get("/large", Response.file(folder.at("large"))),
    replaced: Route.get("/replaced", Response.file(folder.at("large"))).pipe(Route.use(instead))
  })
}

const compressed = App.make({
  text: Route.get("/", Response.file(folder.at("large.txt")))
}).pipe(App.use(Compression.make()))

both("a file that a middleware compresses is read as a stream", compressed, ({ client, logs }) =>
  Effect.gen(function* () {
    const socket = yield* client.connect
    socket.write(get("/", "Accept-Encoding: gzip\r\nConnection: close\r\n"))
    const chunks: Array<Buffer> = []
    yield* Effect.callback<void>((resume) => {
      socket.on("data", (chunk: Buffer) => chunks.push(chunk))
      socket.on("end", () => resume(Effect.void))
    })
    assert.include(Buffer.concat(chunks).toString("latin1"), "content-encoding: gzip")
    assert.isTrue((yield* Folder.ask(client, "/", { "accept-encoding": "identity" })).body.length === 200_000)
    yield* until(() => open(folder.path) === 0)
    assert.deepStrictEqual(
      logs.filter((line) => line.startsWith("Error")),
      []
    )
  })
)

const lying = App.make({
  short: Route.get("/", Effect.map(Response.file(folder.at("large")), Response.setHeader("content-length", "70000")))
})

both("a Content-Length that is not that of the file cuts the connection, and is logged once", lying, ({ logs, wire }) =>
  Effect.gen(function* () {
    yield* wire.send(get("/"))
    yield* wire.closed
    yield* until(() => logs.some((line) => line.startsWith("Error")))
    assert.deepStrictEqual(
      logs.filter((line) => line.startsWith("Error")),
      ["Error A response broke off after its head was sent (GET /)"]
    )
    yield* until(() => open(folder.path) === 0)
  })
)

describe("a file that changes while it is sent", () => {
  const changing = Folder.make()
  const app = App.make({ file: Route.get("/", Response.file(changing.at("file"))) })

  both("is cut off when it becomes shorter: logged once, never a clean end", app, ({ client, logs }) =>
    Effect.gen(function* () {
      changing.write("file", Buffer.alloc(50_000_000))
      const socket = yield* client.connect
      let received = 0
      let ended = false
      socket.on("error", () => {})
      socket.on("end", () => {
        ended = true
      })
      socket.write(get("/"))
      yield* Effect.callback<void>((resume) => {
        socket.once("data", (chunk: Buffer) => {
          received += chunk.length
          socket.pause()
          resume(Effect.void)
        })
      })
      Fs.truncateSync(changing.at("file"), 1000)
      socket.on("data", (chunk: Buffer) => {
        received += chunk.length
      })
      socket.resume()
      yield* until(() => socket.closed || ended)
      assert.isBelow(received, 50_000_000)
      yield* until(() => logs.some((line) => line.startsWith("Error")))
      assert.deepStrictEqual(
        logs.filter((line) => line.startsWith("Error")),
        ["Error A response broke off after its head was sent (GET /)"]
      )
      yield* until(() => open(changing.path) === 0)
    })
  )

  both("is sent as it was opened when another takes its place, or it is removed", app, ({ client }) =>
    Effect.gen(function* () {
      const before = Folder.bytes(20_000_000)
      changing.write("file", before)
      const socket = yield* client.connect
      const chunks: Array<Buffer> = []
      socket.write(get("/", "Connection: close\r\n"))
      yield* Effect.callback<void>((resume) => {
        socket.once("data", (chunk: Buffer) => {
          chunks.push(chunk)
          socket.pause()
          resume(Effect.void)
        })
      })
      changing.write("other", Buffer.alloc(20_000_000, "x"))
      Fs.renameSync(changing.at("other"), changing.at("file"))
      changing.remove("file")
      yield* Effect.callback<void>((resume) => {
        socket.on("data", (chunk: Buffer) => chunks.push(chunk))
        socket.on("end", () => resume(Effect.void))
        socket.resume()
      })
      const all = Buffer.concat(chunks)
      assert.isTrue(all.subarray(all.indexOf("\r\n\r\n") + 4).equals(before))
    })
  )

  both("is sent as long as it was when it grows", app, ({ client }) =>
    Effect.gen(function* () {
      const before = Folder.bytes(5_000_000)
      changing.write("file", before)
      const growing = Effect.sync(() => Fs.appendFileSync(changing.at("file"), "more")).pipe(
        Effect.andThen(Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))),
        Effect.repeat({ times: 50 })
      )
      const [got] = yield* Effect.all([Folder.ask(client, "/"), growing], { concurrency: "unbounded" })
      assert.strictEqual(got.body.length, Number(got.headers["content-length"]))
      assert.isTrue(got.body.subarray(0, before.length).equals(before))
    })
  )

  it.live("is never answered with the head of one and the body of another", () =>
    Effect.gen(function* () {
      const client = yield* Testing.socketClient(app)
      const versions = ["a", "b"].map((letter, at) => Buffer.alloc(100_000 + at, letter))
      let isDone = false
      const swapping = Effect.suspend(() => {
        for (const version of versions) {
          changing.write("next", version)
          Fs.renameSync(changing.at("next"), changing.at("file"))
        }
        return Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
      }).pipe(Effect.repeat({ until: () => isDone }))
      changing.write("file", versions[0]!)
      yield* Effect.forkScoped(swapping)
      for (let turn = 0; turn < 100; turn++) {
        const { body, headers } = yield* Folder.ask(client, "/")
        assert.strictEqual(body.length, Number(headers["content-length"]))
        assert.isTrue(versions.some((version) => version.equals(body)))
      }
      isDone = true
    }).pipe(Effect.scoped)
  )
})

describe("the disk opens regular files only, and never waits for a writer", () => {
  execFileSync("mkfifo", [folder.at("fifo")])
  for (const [name, reason] of [
    ["fifo", "Forbidden"],
    [".", "Forbidden"],
    ["nothing", "NotFound"]
  ] as const) {
    it.live(`${name}: ${reason}`, () =>
      Effect.gen(function* () {
        const failure = yield* Effect.flip(NodeFiles.nodeFiles.open(folder.at(name)))
        assert.strictEqual(failure.reason, reason)
        assert.strictEqual(open(folder.path), 0)
      })
    )
  }
})

describe("a disk that is slow is asked in the thread pool", () => {
  const slow = App.make({
    large: Route.get("/large", Response.file(folder.at("large"))),
    small: Route.get("/small", Response.file(folder.at("small"))),
    nul: Route.get("/nul", Response.file("a\0b")),
    missing: Route.get("/missing", Response.file(folder.at("missing"))),
    directory: Route.get("/directory", Response.file(folder.path))
  })
  folder.write("small", "small")

  const slowDisk = Effect.sync(() => {
    NodeFiles.timed(() => {
      const end = performance.now() + 5
      while (performance.now() < end);
    })
    assert.isTrue(NodeFiles.isSlow())
  })

  both("with the same answers", slow, ({ client }) =>
    Effect.gen(function* () {
      yield* slowDisk
      assert.isTrue((yield* Folder.ask(client, "/large")).body.equals(content))
      for (const _ of [1, 2]) assert.strictEqual((yield* Folder.ask(client, "/small")).body.toString(), "small")
      assert.strictEqual((yield* Folder.ask(client, "/missing")).status, 404)
      assert.strictEqual((yield* Folder.ask(client, "/nul")).status, 404)
      assert.strictEqual((yield* Folder.ask(client, "/directory")).status, 403)
      yield* until(() => open(folder.path) === 0)
    })
  )

  both("and clients that leave during a read leave nothing open", slow, ({ client }) =>
    Effect.gen(function* () {
      for (let turn = 0; turn < 20; turn++) {
        yield* slowDisk
        const socket = yield* client.connect
        socket.on("error", () => {})
        socket.write(get("/large"))
        yield* Effect.callback<void>((resume) => {
          socket.once("data", () => resume(Effect.void))
        })
        socket.destroy()
      }
      yield* until(() => open(folder.path) === 0)
    })
  )
})
