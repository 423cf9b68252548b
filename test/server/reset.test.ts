/**
 * Connections that are broken off.
 */
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { reset } from "../../src/server/internal/reset.ts"

describe("a connection that is reset", () => {
  const place = Path.join(Os.tmpdir(), `effect-web-${process.pid}.sock`)
  const rows: ReadonlyArray<readonly [name: string, where: Net.ListenOptions, wanted: string | undefined]> = [
    ["of TCP is an error to the other side", { port: 0, host: "127.0.0.1" }, "ECONNRESET"],
    ["of a unix socket is closed", { path: place }, undefined]
  ]
  for (const [name, where, wanted] of rows) {
    it.live(name, () =>
      Effect.gen(function* () {
        const code = yield* Effect.callback<string | undefined>((resume) => {
          const server = Net.createServer((socket) => {
            let code: string | undefined
            socket.on("error", (error: NodeJS.ErrnoException) => {
              code = error.code
            })
            socket.on("close", () => server.close(() => resume(Effect.succeed(code))))
            socket.resume()
          })
          server.listen(where, () => {
            const address = server.address() as Net.AddressInfo | string
            const to = typeof address === "string" ? { path: address } : { port: address.port, host: "127.0.0.1" }
            const socket = Net.connect(to, () => reset(socket))
          })
        })
        assert.strictEqual(code, wanted)
      })
    )
  }
})
