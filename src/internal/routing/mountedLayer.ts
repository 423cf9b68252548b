/**
 * Builds a layer that adds routes to Effect's `HttpRouter` into a handler, on a router of its own.
 *
 * ```ts
 * const handler = yield* build(HttpApiBuilder.layer(api))
 * ```
 *
 * Unlike `HttpRouter.toHttpEffect`, whose router may be the one of a surrounding program (their routes then leak into each
 * other), the router is fresh.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Etag from "effect/http/Etag"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import type { Handler } from "../../Handler.ts"

/** The failures of the routes of a layer. */
export type Failures<R> = HttpRouter.Request.Only<"Error", R> | HttpRouter.Request.Only<"GlobalError", R>

type Platform = HttpRouter.HttpRouter | FileSystem.FileSystem | Path.Path | Etag.Generator

/** The services that a layer and its routes need; those of the platform are there. */
export type Needs<R> =
  | Exclude<HttpRouter.Request.Without<R>, Platform>
  | HttpRouter.Request.Only<"Requires", R>
  | HttpRouter.Request.Only<"GlobalRequires", R>

/** The handler of a layer's routes; the layer lives as long as the scope. */
export const build = <A, R>(
  layer: Layer.Layer<A, never, R>
): Effect.Effect<Handler<unknown, unknown>, never, unknown> =>
  Effect.map(Layer.build(Layer.provideMerge(layer, Layer.fresh(HttpRouter.layer))), (context) =>
    Context.get(context as Context.Context<HttpRouter.HttpRouter>, HttpRouter.HttpRouter).asHttpEffect()
  )
