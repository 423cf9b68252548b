/**
 * Compression: which coding is chosen, and what answers say that are not compressed themselves.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { App, Compression, Response, Route, StaticFiles } from "effect-web"
import { served } from "effect-web/testing/Served"
import * as Folder from "../folder.ts"

const text = "All work and no play makes Jack a dull boy.\n".repeat(100)
const folder = Folder.make()
folder.write("small.txt", text, 1_700_000_000)
folder.write("large.txt", text.repeat(50), 1_700_000_000)

const app = App.make({
  text: Route.get("/text", Response.text(text)),
  tagged: Route.get("/tagged", Response.text(text).pipe(Response.etag("1"))),
  files: Route.mountHandler("/files", StaticFiles.make({ root: folder.path }))
}).pipe(App.use(Compression.make()))

const chosen: ReadonlyArray<readonly [acceptEncoding: string | undefined, coding: string | undefined]> = [
  [undefined, undefined],
  ["", undefined],
  ["gzip", "gzip"],
  ["gzip, br", "br"],
  ["*", "br"],
  ["gzip;q=0", undefined],
  ["br;q=0, *", "gzip"],
  ["gzip;q=0.5", "gzip"],
  // The highest q is preferred (RFC 9110 §12.5.3).
  ["gzip, br;q=0.1", "gzip"],
  ["gzip;q=0.5, br;q=0.4, deflate;q=0.6", "deflate"],
  ["identity, gzip;q=0.5", undefined],
  ["identity;q=0.1, gzip;q=0.5", "gzip"],
  ["compress", undefined],
  ["*;q=0", undefined],
  ["*;q=0, gzip", "gzip"]
]

served("the coding is the one that the client likes best, and varies", app, (client) =>
  Effect.gen(function* () {
    for (const [accept, wanted] of chosen) {
      const headers: Record<string, string> = accept === undefined ? {} : { "accept-encoding": accept }
      const got = yield* Folder.ask(client, "/text", headers)
      assert.deepStrictEqual(Folder.facts(got, "content-encoding", "vary"), [200, wanted, "Accept-Encoding"], accept)
    }
  })
)

for (const path of ["/tagged", "/files/small.txt", "/files/large.txt"]) {
  for (const accept of ["gzip", "identity"]) {
    const headers = { "accept-encoding": accept }
    served(`a 304 of ${path} has the tag and the Vary of the 200, for ${accept}`, app, (client) =>
      Effect.gen(function* () {
        yield* Folder.settled
        const full = yield* Folder.ask(client, path, headers)
        const { etag = "" } = full.headers
        assert.strictEqual(etag.startsWith("W/"), accept === "gzip")
        const again = yield* Folder.ask(client, path, { ...headers, "if-none-match": etag })
        assert.deepStrictEqual(Folder.facts(again, "etag", "vary"), [304, etag, "Accept-Encoding"])
      })
    )
  }
}

served("a 206 has the Vary of the 200, and is not compressed", app, (client) =>
  Effect.gen(function* () {
    for (const range of ["bytes=0-9", "bytes=0-9,1000-1009"]) {
      const got = yield* Folder.ask(client, "/files/large.txt", { "accept-encoding": "gzip", range })
      assert.deepStrictEqual(Folder.facts(got, "content-encoding", "vary"), [206, undefined, "Accept-Encoding"])
    }
  })
)
