/**
 * Tables of frames of HTTP/2, and what a server says to them.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as App from "../../src/App.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { recorder } from "../server/both.ts"
import * as H2 from "../server/http2/frames.ts"
import { start } from "../server/started.ts"

const { get, head } = H2

/** What is asked. */
export const app = App.make({
  home: Route.get(
    "/",
    Effect.map(Request.header("x-name"), (name) => Response.text("home", { status: name ? 409 : 200 }))
  ),
  never: Route.get("/never", Effect.never),
  echo: Route.post(
    "/echo",
    Effect.flatMap(Request.current, (request) => Effect.map(request.text, (text) => Response.text(text)))
  )
})

/** What is sent behind the preface, and what becomes of stream 1: a status, "reset" or "goaway" with its code. */
export type Row = readonly [rule: string, sent: ReadonlyArray<Uint8Array>, wanted: string]

/** The head of an upload with a length. */
export const post = (length: string) => [...get("/echo", "POST"), ["content-length", length]] as const

/** Declares a test for each row; then the server still answers others, and has logged nothing. */
export const rules = (tables: Readonly<Record<string, ReadonlyArray<Row>>>): void => {
  for (const [section, rows] of Object.entries(tables)) {
    describe(`RFC 9113 ${section}`, () => {
      for (const [rule, sent, wanted] of rows) {
        it.live(`${rule}: ${wanted}`, () => {
          const { layer, logs } = recorder()
          return Effect.gen(function* () {
            const { server } = yield* start(app, { h2c: true })
            const client = yield* H2.open(server, ...sent)
            assert.strictEqual(yield* client.outcome(1), wanted)
            const other = yield* H2.open(server, head(1, get()))
            assert.strictEqual(yield* other.outcome(1), "200")
            assert.deepStrictEqual(
              logs.filter((line) => /^(Error|Fatal|Warn)/i.test(line)),
              []
            )
          }).pipe(Effect.scoped, Effect.provide(layer))
        })
      }
    })
  }
}
