/**
 * What the log says of a failure at an upstream server: which one it was, and what it did. The client hears neither.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import * as Testing from "../../src/testing/Testing.ts"
import { appOf, rawUpstream, type Upstream } from "./upstream.ts"

type Row = readonly [name: string, upstream: Effect.Effect<Upstream, never, Scope.Scope>, what: string]

const rows: ReadonlyArray<Row> = [
  ["breaks off", rawUpstream((socket) => socket.destroy()), "other side closed"],
  ["speaks no HTTP", rawUpstream("SSH-2.0-OpenSSH_9.2\r\n"), "Response does not match the HTTP/1.1 protocol"],
  ["has a status that is none", rawUpstream("HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n"), "The status is 600"],
  ["never comes to the end", rawUpstream("HTTP/1.1 102 X\r\n\r\n".repeat(100)), "too many interim answers"],
  [
    "breaks off in the middle",
    rawUpstream((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")),
    "other side closed"
  ]
]

describe("the log names an upstream server that", () => {
  for (const [name, upstream, what] of rows) {
    it.live(name, () => {
      const causes: Array<string> = []
      const logger = Logger.make(({ cause }) => causes.push(Cause.pretty(cause)))
      return Effect.gen(function* () {
        const { url } = yield* upstream
        const client = yield* Testing.client(appOf({}, url))
        yield* Effect.exit(Effect.flatMap(client.get("/a"), ({ text }) => text))
        assert.lengthOf(causes, 1)
        assert.include(causes[0], `${url}: ${what}`)
      }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])))
    })
  }
})
