/**
 * When the scope of a server has closed nothing of it is left: no fiber, socket, timer or file. A real process counts them, and ends by
 * itself.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Folder from "../folder.ts"
import * as Certificates from "../server/certificates.ts"
import { run } from "./program.ts"

interface Left {
  readonly active: ReadonlyArray<string>
  readonly fibers: number
  readonly listeners: ReadonlyArray<string>
  readonly files: ReadonlyArray<string>
}

it.live(
  "a server with TLS, a unix socket, sessions, files, uploads, streams, sockets, a proxy and background work leaves nothing",
  () =>
    Effect.gen(function* () {
      const { cert, key } = Certificates.selfSigned("localhost")
      const program = yield* run("everything.ts", Folder.make().path, key, cert)
      assert.strictEqual(yield* program.ended, 0, program.output())
      const said = new Map(
        program
          .output()
          .split("\n")
          .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)] as const)
      )
      const of = (when: string): Left => JSON.parse(said.get(when) ?? "{}")
      assert.strictEqual(said.get("answers"), "200 200 200 200 200 200 200 503 200 404", program.output())
      const during = JSON.parse(said.get("during") ?? "{}")
      assert.isAbove(during.active, 10)
      assert.isAbove(during.most, 10)
      const [before, after, exit] = [of("before"), of("after"), of("exit")]
      assert.deepStrictEqual(before.active, [])
      for (const { active, fibers, files, listeners } of [after, exit]) {
        assert.deepStrictEqual({ active, fibers }, { active: [], fibers: 0 })
        assert.deepStrictEqual(files, ["app.db", "upload"])
        assert.deepStrictEqual(listeners, before.listeners)
      }
    })
)
