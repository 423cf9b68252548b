/**
 * Conditional requests for files, small ones from memory and large ones from their descriptor.
 *
 * @spec RFC 9110 §13, §15.4.5, §15.5.13
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { App, Response, Route } from "effect-web"
import { served } from "effect-web/testing/Served"
import * as Folder from "../folder.ts"

const folder = Folder.make()
folder.write("small", "small", 1_000_000_000)
folder.write("large", Folder.bytes(100_000), 1_000_000_000)

const file = (name: string) =>
  Response.file(folder.at(name), {
    headers: { "cache-control": "max-age=60", "content-language": "en", vary: "Cookie", "x-kind": name }
  })

const app = App.make({ small: Route.get("/small", file("small")), large: Route.get("/large", file("large")) })

const same = "Sun, 09 Sep 2001 01:46:40 GMT"
const before = "Sun, 09 Sep 2001 01:46:39 GMT"
const after = "Sun, 09 Sep 2001 01:46:41 GMT"

/** TAG stands for the tag of the file. */
const rows: ReadonlyArray<readonly [name: string, headers: Readonly<Record<string, string>>, status: number]> = [
  ["no condition", {}, 200],
  // §13.1.1
  ["If-Match with the tag", { "if-match": "TAG" }, 200],
  ["If-Match with the tag among others", { "if-match": '"a", TAG' }, 200],
  ["If-Match with any", { "if-match": "*" }, 200],
  ["If-Match with another", { "if-match": '"a"' }, 412],
  ["If-Match with the tag as a weak one", { "if-match": "W/TAG" }, 412],
  ["If-Match that is malformed", { "if-match": "a" }, 412],
  // §13.1.2
  ["If-None-Match with the tag", { "if-none-match": "TAG" }, 304],
  ["If-None-Match with the tag as a weak one", { "if-none-match": "W/TAG" }, 304],
  ["If-None-Match with the tag among others", { "if-none-match": '"a", TAG' }, 304],
  ["If-None-Match with any", { "if-none-match": "*" }, 304],
  ["If-None-Match with another", { "if-none-match": '"a"' }, 200],
  ["If-None-Match that is malformed", { "if-none-match": "a" }, 200],
  // §13.1.3
  ["If-Modified-Since the same date", { "if-modified-since": same }, 304],
  ["If-Modified-Since a later date", { "if-modified-since": after }, 304],
  ["If-Modified-Since an earlier date", { "if-modified-since": before }, 200],
  ["If-Modified-Since in the old format", { "if-modified-since": "Sunday, 09-Sep-01 01:46:40 GMT" }, 304],
  ["If-Modified-Since in C's format", { "if-modified-since": "Sun Sep  9 01:46:40 2001" }, 304],
  ["If-Modified-Since that is no date", { "if-modified-since": "yesterday" }, 200],
  // §13.1.4
  ["If-Unmodified-Since the same date", { "if-unmodified-since": same }, 200],
  ["If-Unmodified-Since an earlier date", { "if-unmodified-since": before }, 412],
  ["If-Unmodified-Since that is no date", { "if-unmodified-since": "yesterday" }, 200],
  // §13.2.2, the order
  ["If-Match before If-Unmodified-Since", { "if-match": "TAG", "if-unmodified-since": before }, 200],
  ["If-None-Match before If-Modified-Since", { "if-none-match": '"a"', "if-modified-since": same }, 200],
  ["If-Match, then If-None-Match", { "if-match": "TAG", "if-none-match": "TAG" }, 304],
  ["If-Match that fails, then nothing else", { "if-match": '"a"', "if-none-match": "TAG" }, 412],
  ["If-Unmodified-Since, then If-None-Match", { "if-unmodified-since": same, "if-none-match": "TAG" }, 304],
  ["conditions before the Range", { "if-none-match": "TAG", range: "bytes=0-1" }, 304],
  ["conditions that hold, and a Range", { "if-match": "TAG", range: "bytes=0-1" }, 206]
]

for (const name of ["small", "large"]) {
  describe(`a ${name} file`, () => {
    for (const method of ["GET", "HEAD"]) {
      served(`${method} is answered by its conditions`, app, (client) =>
        Effect.gen(function* () {
          yield* Folder.settled
          const { etag = "" } = (yield* Folder.ask(client, `/${name}`, {}, "HEAD")).headers
          for (const [row, headers, wanted] of rows) {
            const filled = Object.fromEntries(
              Object.entries(headers).map(([key, value]) => [key, value.replace("TAG", etag)])
            )
            const { status } = yield* Folder.ask(client, `/${name}`, filled, method)
            assert.strictEqual(status, method === "HEAD" && wanted === 206 ? 200 : wanted, row)
          }
        })
      )
    }

    served("a 304 has the fields of the 200 that are not of its content", app, (client) =>
      Effect.gen(function* () {
        yield* Folder.settled
        const full = yield* Folder.ask(client, `/${name}`)
        const { body, headers, status } = yield* Folder.ask(client, `/${name}`, { "if-none-match": "*" })
        assert.deepStrictEqual([status, body.length], [304, 0])
        for (const kept of ["etag", "last-modified", "cache-control", "vary", "x-kind"]) {
          assert.strictEqual(headers[kept], full.headers[kept])
        }
        for (const gone of ["content-type", "content-length", "content-language", "accept-ranges"]) {
          assert.strictEqual(headers[gone], undefined)
        }
      })
    )

    served("a 412 is an error like any", app, (client) =>
      Effect.gen(function* () {
        const { headers, status } = yield* Folder.ask(client, `/${name}`, { "if-match": '"a"' })
        assert.deepStrictEqual(
          [status, headers["content-type"], headers.etag],
          [412, "application/problem+json", undefined]
        )
      })
    )
  })
}
