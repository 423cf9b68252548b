/**
 * Runs tests of an app twice: in memory and on a real port. For `@effect/vitest`, which has to be installed.
 *
 * ```ts
 * import { served } from "effect-web/testing/Served"
 *
 * served("greets", app, (client) => Effect.gen(function* () {
 *   assert.strictEqual(yield* (yield* client.get("/")).text, "Hello")
 * }))
 * ```
 */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as App from "../App.ts"
import * as Testing from "./Testing.ts"

/** Options of the server under test, and the services that the app needs; they are there for the tests too. */
export interface Options<R> extends Testing.Options {
  readonly layer?: Layer.Layer<R, unknown>
}

/** Declares the same test in memory and on a socket. An app that needs services gets them by `layer`. */
export const served = <E, R, T extends App.Routes, Added, E2>(
  name: string,
  app: App.Servable<E, R, T, Added>,
  tests: (client: Testing.Client) => Effect.Effect<unknown, E2, NoInfer<R> | Scope.Scope>,
  ...[options]: [R] extends [never]
    ? [options?: Testing.Options]
    : [options: Options<R> & { readonly layer: Layer.Layer<R, unknown> }]
): void => {
  const { layer = Layer.empty, ...rest } = (options ?? {}) as Options<R>
  // Without a layer R is never: there is nothing to provide.
  const services = layer as Layer.Layer<R, unknown>
  describe(name, () => {
    it.effect("in memory", () =>
      Effect.provide(Effect.flatMap(Testing.client<E, R, T, Added>(app, rest), tests), services)
    )
    it.effect("on a socket", () =>
      Effect.provide(Effect.flatMap(Testing.socketClient<E, R, T, Added>(app, rest), tests), services)
    )
  })
}
