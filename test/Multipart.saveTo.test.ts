/**
 * Parts saved to files: there whole or not at all, whatever happens in between.
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as PlatformError from "effect/PlatformError"
import * as App from "../src/App.ts"
import * as Multipart from "../src/Multipart.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import type * as Wire from "./conformance/wire.ts"
import { body, field, file, form, run, type } from "./multiparts.ts"
import { both, get, until } from "./server/both.ts"

const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-web-test-"))
afterAll(() => Fs.rmSync(folder, { recursive: true }))
const target = Path.join(folder, "saved")
Fs.mkdirSync(Path.join(folder, "directory"))

/** What is in the folder besides the directory. */
const found = (): ReadonlyArray<string> => Fs.readdirSync(folder).filter((name) => name !== "directory")

/** The open files of this process that are in the folder. */
const opened = (): number =>
  Fs.readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return Fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder)
    } catch {
      return false
    }
  }).length

const save = (path: string, options: Multipart.Options = { limit: "100 MiB" }) =>
  Effect.gen(function* () {
    const parts = yield* Multipart.readerWith(options)
    const name = yield* parts.field("name")
    const saved = yield* parts.file("file")
    const size = yield* saved.saveTo(path)
    return Response.text(`${name} ${saved.filename} ${size}`)
  })

let isInterrupted = false
const noteInterruption = Effect.sync(() => {
  isInterrupted = true
})

let stop = (): void => {}
const stopped = Effect.callback<void>((resume) => {
  stop = () => resume(Effect.void)
})

const app = App.make({
  probe: Route.get("/probe", Response.text("probe")),
  save: Route.post("/save", save(target)),
  interrupted: Route.post(
    "/interrupted",
    Effect.onInterrupt(save(target), () => noteInterruption)
  ),
  limited: Route.post("/limited", save(target, { limit: "100 MiB", fileLimit: "1 MiB" })),
  stopped: Route.post("/stopped", Effect.as(Effect.raceFirst(save(target), stopped), Response.text("stopped"))),
  nowhere: Route.post("/nowhere", save(Path.join(folder, "missing", "file"))),
  directory: Route.post("/directory", save(Path.join(folder, "directory"))),
  read: Route.post(
    "/read",
    Effect.gen(function* () {
      const parts = yield* Multipart.readerWith({ limit: "100 MiB" })
      yield* parts.field("name")
      const part = yield* parts.file("file")
      const { length } = yield* part.bytes
      return Response.text(`${length} ${yield* part.saveTo(target)}`)
    })
  )
})

const content = "0123456789abcde\n".repeat(200_000)
const whole = body([field("name", "N"), file("file", "f.txt", content)])
const head = (path: string, length: number) =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`

const clean = Effect.suspend(() => until(() => found().length === 0 && opened() === 0))
const reset = Effect.sync(() => {
  Fs.rmSync(target, { force: true })
  isInterrupted = false
})

/** Sends half of an upload and waits until it is on its way to the disk. */
const half = Effect.fnUntraced(function* (wire: Wire.Wire, path: string) {
  yield* reset
  yield* wire.send(head(path, whole.length) + whole.slice(0, whole.length / 2))
  yield* until(() => found().some((name) => Fs.statSync(Path.join(folder, name)).size > 1_000_000))
  assert.strictEqual(opened(), 1)
  assert.match(found().join(), /^\.[a-z0-9]+\.part$/)
})

both("a file is there when all of it is, in place of what was there before", app, ({ wire }) =>
  Effect.gen(function* () {
    yield* half(wire, "/save")
    Fs.writeFileSync(target, "before")
    yield* wire.send(whole.slice(whole.length / 2))
    assert.strictEqual((yield* wire.answer()).body.toString(), `N f.txt ${content.length}`)
    assert.deepStrictEqual([found(), opened()], [["saved"], 0])
    assert.isTrue(Fs.readFileSync(target, "latin1") === content)
  })
)

both("a file that was read whole before is saved from memory", app, ({ wire }) =>
  Effect.gen(function* () {
    yield* reset
    yield* wire.send(head("/read", whole.length) + whole)
    assert.strictEqual((yield* wire.answer()).body.toString(), `${content.length} ${content.length}`)
    assert.isTrue(Fs.readFileSync(target, "latin1") === content)
  })
)

describe("a client that leaves in the middle of an upload leaves nothing:", () => {
  for (const [way, leave] of [
    ["by a reset", "destroy"],
    ["by the end of its side", "end"]
  ] as const) {
    both(way, app, ({ connect, logs, wire }) =>
      Effect.gen(function* () {
        yield* half(wire, "/interrupted")
        wire.socket[leave]()
        yield* until(() => isInterrupted)
        yield* clean
        const other = yield* connect
        yield* other.send(get("/probe"))
        assert.strictEqual((yield* other.answer()).body.toString(), "probe")
        assert.deepStrictEqual(
          logs.filter((line) => !line.startsWith("Debug")),
          []
        )
      })
    )
  }
})

describe("an upload that fails leaves nothing:", () => {
  both("above the limit of a file", app, ({ wire }) =>
    Effect.gen(function* () {
      yield* reset
      yield* wire.send(head("/limited", whole.length) + whole)
      assert.strictEqual((yield* wire.answer()).status, 413)
      yield* clean
    })
  )
  both("cut off before its boundary", app, ({ wire }) =>
    Effect.gen(function* () {
      yield* reset
      const cut = whole.slice(0, -20)
      yield* wire.send(head("/save", cut.length) + cut)
      assert.strictEqual((yield* wire.answer()).status, 400)
      yield* clean
      yield* wire.send(get("/probe"))
      assert.strictEqual((yield* wire.answer()).body.toString(), "probe")
    })
  )
  both("in a chunked body that is malformed", app, ({ wire }) =>
    Effect.gen(function* () {
      yield* reset
      const start = whole.slice(0, 1_500_000)
      const chunked = head("/save", 0).replace("Content-Length: 0", "Transfer-Encoding: chunked")
      yield* wire.send(`${chunked}${start.length.toString(16)}\r\n${start}\r\nzz\r\n`)
      assert.strictEqual((yield* wire.answer()).status, 400)
      yield* clean
    })
  )
  both("interrupted", app, ({ wire }) =>
    Effect.gen(function* () {
      yield* half(wire, "/stopped")
      stop()
      assert.strictEqual((yield* wire.answer()).body.toString(), "stopped")
      yield* clean
    })
  )
  for (const [name, path] of [
    ["to a folder that is not there", "/nowhere"],
    ["in place of a directory", "/directory"]
  ] as const) {
    both(`${name}, which is a defect`, app, ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* reset
        yield* wire.send(head(path, whole.length) + whole)
        assert.strictEqual((yield* wire.answer()).status, 500)
        yield* clean
        assert.lengthOf(
          logs.filter((line) => line.startsWith("Error")),
          1
        )
      })
    )
  }
})

describe("what the file system refuses is a defect that says which file and why:", () => {
  const cause = new Error("ENOSPC: no space left on device, write")
  const full = PlatformError.systemError({ _tag: "Unknown", module: "FileSystem", method: "writeAll", cause })
  const onFullDisk = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.flatMap(FileSystem.FileSystem, (files) =>
      Effect.provideService(effect, FileSystem.FileSystem, {
        ...files,
        open: (path, options) =>
          Effect.map(files.open(path, options), (file) =>
            Object.assign(Object.create(file), { writeAll: () => Effect.fail(full) })
          )
      })
    )
  const sent = form(field("name", "N"), file("file", "f.txt", "content"))
  const defect = (path: string) =>
    Effect.map(Effect.sandbox(run(save(path), sent)).pipe(Effect.flip), (cause) => String(Cause.squash(cause)))

  it.effect("a disk that is full", () =>
    Effect.gen(function* () {
      yield* reset
      assert.strictEqual(
        yield* onFullDisk(defect(target)),
        `Error: Multipart: "${target}" cannot be written: ${cause.message}`
      )
      assert.deepStrictEqual([found(), opened()], [[], 0])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("a directory that is not there", () =>
    Effect.map(defect("/no/such/file"), (text) =>
      assert.match(text, /^Error: Multipart: "\/no\/such\/file" cannot be written: ENOENT: /)
    ).pipe(Effect.provide(NodeServices.layer))
  )
})
