/**
 * Random and mutated multipart bodies: whatever comes, the server answers with 200 or 4xx, logs nothing, and keeps nothing.
 *
 * `FUZZ_SEED` and `FUZZ_COUNT` run other cases, and more of them: 60000 take a minute or two.
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Seeded from "../seeded.ts"
import { get, until } from "../server/both.ts"
import { start } from "../server/started.ts"
import * as Fuzzing from "./fuzzing.ts"
import { app } from "./multipartApp.ts"
import { mutated } from "./multipartMutations.ts"
import { recorder } from "./table.ts"

const { count, seed } = Fuzzing.cases(1000)

/** Files of requests that are there, or open. */
const left = (): number =>
  Fs.readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return Fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(Path.join(Os.tmpdir(), "effect-web-"))
    } catch {
      return false
    }
  }).length

const allowed = new Set(["200", "400", "413", "415", "422"])

it.live(
  "whatever comes as multipart is answered with 200 or 4xx, and nothing is logged or kept",
  () => {
    const { layer, lines } = recorder()
    return Effect.gen(function* () {
      const random = Seeded.make(seed)
      const { connect, server } = yield* start(app)
      const port = server.addresses[0]?.port ?? 0
      const seen = new Map<string, number>()
      const one = Effect.suspend(() => {
        const { pieces, shown } = mutated(random)
        const leaves = random.chance(0.1)
        return Effect.map(
          Fuzzing.sent(port, leaves ? pieces.slice(0, -1) : pieces, leaves ? "destroy" : "wait"),
          (answer) => {
            assert.notStrictEqual(answer, "hang", shown)
            const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]
            if (status === undefined) return
            assert.isTrue(allowed.has(status), `${status} for ${shown}`)
            seen.set(status, (seen.get(status) ?? 0) + 1)
          }
        )
      })
      const many = (count: number) =>
        Effect.forEach(Array.from({ length: count }), () => one, { concurrency: 16, discard: true })
      yield* many(count / 4)
      yield* until(() => server.connections() === 0)
      const before = yield* Fuzzing.memory
      yield* many(count)
      yield* until(() => server.connections() === 0 && left() === 0)
      assert.isBelow((yield* Fuzzing.memory) - before, 8 * 1024 * 1024)
      assert.deepStrictEqual(lines, [])
      // The cases are of all kinds
      assert.deepStrictEqual([...seen.keys()].toSorted(), [...allowed])
      const wire = yield* connect
      yield* wire.send(get("/probe"))
      assert.strictEqual((yield* wire.answer()).body.toString(), "probe")
    }).pipe(Effect.scoped, Effect.provide(layer))
  },
  3_600_000
)
