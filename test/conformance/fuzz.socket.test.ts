/**
 * Random and mutated bytes on connections: whatever comes, the server answers or closes, logs nothing, and keeps nothing.
 *
 * `FUZZ_SEED` and `FUZZ_COUNT` run other cases, and more of them.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Seeded from "../seeded.ts"
import { get, until } from "../server/both.ts"
import { start } from "../server/started.ts"
import { app } from "./app.ts"
import * as Fuzzing from "./fuzzing.ts"
import { mutated } from "./mutations.ts"
import { recorder } from "./table.ts"

const { count, seed } = Fuzzing.cases(4000)

describe("whatever comes", () => {
  it.live(
    "the server answers or closes, logs nothing, and keeps nothing",
    () => {
      const { layer, lines } = recorder()
      return Effect.gen(function* () {
        const random = Seeded.make(seed)
        const { connect, server } = yield* start(app, { requestTimeout: "2 seconds", headersTimeout: "2 seconds" })
        const port = server.addresses[0]?.port ?? 0
        const one = Effect.suspend(() => {
          const { pieces, shown } = mutated(random)
          return Effect.map(Fuzzing.sent(port, pieces, random.chance(0.1) ? "destroy" : "end"), (answer) => {
            assert.notStrictEqual(answer, "hang", shown)
            for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)) {
              assert.isTrue(Number(status) < 500 || status === "501" || status === "505", `${status} for ${shown}`)
            }
          })
        })
        const many = (count: number) =>
          Effect.forEach(Array.from({ length: count }), () => one, { concurrency: 16, discard: true })
        yield* many(count / 4)
        const before = yield* Fuzzing.memory
        yield* many(count)
        yield* until(() => server.connections() === 0)
        const after = yield* Fuzzing.memory
        assert.isBelow(after - before, 8 * 1024 * 1024)
        assert.deepStrictEqual(lines, [])
        const wire = yield* connect
        yield* wire.send(get("/"))
        assert.strictEqual((yield* wire.answer()).body.toString(), "home")
      }).pipe(Effect.scoped, Effect.provide(layer))
    },
    3_600_000
  )
})
