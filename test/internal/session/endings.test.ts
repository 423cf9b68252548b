/**
 * Who waits for the end of a session is told once, and forgotten.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Endings } from "../../../src/internal/session/endings.ts"

it.effect("who was told, or has given up, is forgotten", () =>
  Effect.gen(function* () {
    const endings = new Endings()
    const wait = (id: string) => Effect.forkChild(endings.wait(id), { startImmediately: true })
    const [one, two, other, given] = [yield* wait("a"), yield* wait("a"), yield* wait("b"), yield* wait("c")]
    assert.strictEqual(endings.size, 3)
    endings.tell("a")
    yield* Fiber.join(one)
    yield* Fiber.join(two)
    yield* Fiber.interrupt(given)
    assert.strictEqual(endings.size, 1)
    // Who comes behind the end of an id does not take the place of others.
    const late = yield* wait("b")
    yield* Fiber.interrupt(other)
    assert.strictEqual(endings.size, 1)
    yield* Fiber.interrupt(late)
    assert.strictEqual(endings.size, 0)
    endings.tell("nobody")
  })
)
