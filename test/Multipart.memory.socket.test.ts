/**
 * Uploads of hundreds of megabytes: the memory of the server stays as it is, and a client is not read while nobody reads its parts.
 */
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as App from "../src/App.ts"
import * as Multipart from "../src/Multipart.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Wire from "./conformance/wire.ts"
import { body, file, type } from "./multiparts.ts"
import { standstill } from "./server/both.ts"
import * as Child from "./server/child.ts"
import { start } from "./server/started.ts"

const mebibyte = 1024 * 1024

const [before = "", after = ""] = body([file("file", "x", "|")]).split("|")

const head = (path: string, size: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${size + before.length + after.length}\r\nConnection: close\r\n\r\n${before}`

/** Uploads so many MiB and gives the body of the answer. */
const upload = (port: number, path: string, count: number): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const socket = yield* Effect.acquireRelease(
      Effect.sync(() => Net.connect(port, "127.0.0.1")),
      (socket) => Effect.sync(() => socket.destroy())
    )
    const chunk = Buffer.alloc(mebibyte, "x")
    socket.write(head(path, count * mebibyte))
    let left = count
    const next = (): void => {
      while (left-- > 0) if (!socket.write(chunk)) return void socket.once("drain", next)
      socket.write(after)
    }
    next()
    return Wire.answerIn(yield* Wire.readAll(socket)).body.toString()
  })

it.live("the memory of a server stays flat, whatever is done with an upload", () =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-web-test-"))),
      (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
    )
    const child = yield* Child.run("upload.ts", Path.join(folder, "saved"))
    yield* child.says("Press CTRL+C")
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(child.output())?.[1])
    const peak = Effect.map(
      Effect.promise(() => fetch(`http://127.0.0.1:${port}/peak`).then((answer) => answer.text())),
      (text) => Number(text) / mebibyte
    )
    const uploads = [
      ["/save", 256, String(256 * mebibyte)],
      ["/form", 64, String(64 * mebibyte)],
      ["/stream", 64, String(64 * mebibyte)],
      ["/skip", 64, "1"]
    ] as const
    // The code is compiled, and garbage has reached the size at which it is collected: that takes bytes, in uploads that are small.
    for (let round = 0; round < 6; round++) {
      for (const [path] of uploads) yield* upload(port, path, path === "/stream" ? 64 : 8)
    }
    const first = yield* peak
    for (const [path, size, wanted] of uploads) assert.strictEqual(yield* upload(port, path, size), wanted)
    const grown = (yield* peak) - first
    assert.isBelow(grown, 40)
  }).pipe(Effect.scoped)
)

it.live("a client is not read while its parts are not", () => {
  let resume = (): void => {}
  const waiting = Effect.callback<void>((done) => {
    resume = () => done(Effect.void)
  })
  const app = App.make({
    slow: Route.post(
      "/slow",
      Effect.gen(function* () {
        const parts = yield* Multipart.readerWith({ limit: "1 GiB" })
        const part = yield* parts.file("file")
        yield* waiting
        yield* Stream.runDrain(part.stream)
        return Response.text("done")
      })
    )
  })
  return Effect.gen(function* () {
    const { connect, server } = yield* start(app)
    const sockets: Array<Net.Socket> = []
    server.node.on("connection", (socket) => sockets.push(socket))
    const wire = yield* connect
    const size = 64 * mebibyte
    yield* wire.send(head("/slow", size))
    yield* wire.send(Buffer.alloc(size, "x"))
    const count = () => sockets[0]?.bytesRead ?? 0
    yield* standstill(count)
    assert.isBelow(count(), mebibyte)
    resume()
    yield* wire.send(after)
    assert.strictEqual((yield* wire.answer()).body.toString(), "done")
  }).pipe(Effect.scoped)
})
