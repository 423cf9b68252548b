/**
 * Runs tests of an app twice: in memory and on a real port. For `@effect/vitest`, which has to be installed.
 *
 * ```ts
 * served("greets", app, (client) => Effect.gen(function* () {
 *   assert.strictEqual(yield* (yield* client.get("/")).text, "Hello")
 * }))
 * ```
 */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as App from "../App.ts"
import * as Testing from "./Testing.ts"

/** Declares the same test in memory and on a socket. */
export const served = <E, T extends App.Routes, Added, E2>(
  name: string,
  app: App.Servable<E, never, T, Added>,
  tests: (client: Testing.Client) => Effect.Effect<unknown, E2, Scope.Scope>,
  options?: Testing.Options
): void => {
  describe(name, () => {
    it.effect("in memory", () => Effect.flatMap(Testing.client<E, never, T, Added>(app, options), tests))
    it.effect("on a socket", () =>
      Effect.flatMap(Effect.orDie(Testing.socketClient<E, never, T, Added>(app, options)), tests)
    )
  })
}
