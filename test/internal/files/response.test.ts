/**
 * A file that is replaced between being looked up and being opened: what is said of it is what is sent.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Stream from "effect/Stream"
import * as HttpError from "../../../src/HttpError.ts"
import { FileFailure } from "../../../src/internal/files/failure.ts"
import { fileSystemFiles } from "../../../src/internal/files/fileSystem.ts"
import type { Files, Info } from "../../../src/internal/files/files.ts"
import { respond } from "../../../src/internal/files/response.ts"
import * as FileStore from "../../../src/internal/files/store.ts"

const info = (size: number, modified: number): Info => ({
  kind: "file",
  size,
  modified,
  changed: modified,
  device: 1,
  node: modified
})

const before = FileStore.fromInfo("file", info(100_000, 1_000_001), { contentType: "text/plain", headers: {} })
const after = FileStore.fromInfo("file", info(50, 2_000_001), before.head)

const disk = (opens: Files["open"]): Files => ({ ...fileSystemFiles, open: opens })

const replaced = disk((path) =>
  Effect.succeed({
    path,
    info: after.info,
    read: (position, length) => Effect.succeed(new Uint8Array(Math.max(0, Math.min(length, 50 - position))).fill(1)),
    close: Effect.void
  })
)

const ask = (headers: Readonly<Record<string, string>>, files: Files) => {
  const request = HttpServerRequest.fromWeb(new Request("http://a.test/", { headers }))
  return Effect.scoped(Effect.exit(respond(request, files, before)))
}

describe("a file that was replaced", () => {
  it.effect("is answered with what is open", () =>
    Effect.gen(function* () {
      const exit = yield* ask({}, replaced)
      const { body, headers, status } = yield* exit
      assert.deepStrictEqual(
        [status, headers["content-length"], headers.etag, headers["last-modified"]],
        [200, "50", `"${after.tag.value}"`, after.lastModified.toUTCString()]
      )
      assert.isTrue(body._tag === "Stream")
      if (body._tag !== "Stream") return
      const chunks = yield* Stream.runCollect(body.stream)
      assert.strictEqual(
        chunks.reduce((sum, { length }) => sum + length, 0),
        50
      )
    })
  )

  it.effect("has its conditions evaluated again", () =>
    Effect.gen(function* () {
      const kept = yield* yield* ask({ "if-none-match": `"${after.tag.value}"` }, replaced)
      assert.strictEqual(kept.status, 304)
      const failed = yield* Effect.flip(yield* ask({ "if-match": `"${before.tag.value}"` }, replaced))
      assert.instanceOf(failed, HttpError.PreconditionFailed)
    })
  )

  it.effect("has the ranges of what is open", () =>
    Effect.gen(function* () {
      const part = yield* yield* ask({ range: "bytes=-10" }, replaced)
      assert.deepStrictEqual([part.status, part.headers["content-range"]], [206, "bytes 40-49/50"])
      const failed = yield* Effect.flip(yield* ask({ range: "bytes=60-" }, replaced))
      assert.instanceOf(failed, HttpError.RangeNotSatisfiable)
    })
  )
})

describe("a file that cannot be opened any more is", () => {
  for (const [reason, error] of [
    ["NotFound", HttpError.NotFound],
    ["Forbidden", HttpError.Forbidden]
  ] as const) {
    it.effect(reason, () =>
      Effect.gen(function* () {
        const files = disk(() => Effect.fail(new FileFailure(reason, undefined)))
        assert.isTrue((yield* Effect.flip(yield* ask({}, files))) instanceof error)
      })
    )
  }

  it.effect("a defect when the system says something else", () =>
    Effect.gen(function* () {
      const cause = new Error("EMFILE")
      const exit = yield* ask(
        {},
        disk(() => Effect.fail(new FileFailure("Unknown", cause)))
      )
      const found = yield* Effect.catchDefect(exit, Effect.succeed)
      assert.strictEqual(found, cause)
    })
  )
})

describe("a stream of a file that has become shorter", () => {
  it.effect("fails, naming it", () =>
    Effect.gen(function* () {
      const short = disk((path) =>
        Effect.succeed({ path, info: before.info, read: () => Effect.succeed(new Uint8Array()), close: Effect.void })
      )
      const { body } = yield* yield* ask({}, short)
      if (body._tag !== "Stream") return assert.fail("no stream")
      const failure = yield* Effect.flip(Stream.runDrain(body.stream))
      assert.strictEqual(String(failure), 'Error: The file "file" became shorter while it was sent')
    })
  )
})
