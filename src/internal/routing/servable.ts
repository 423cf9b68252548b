/**
 * What may be served: an app whose failures all know their response. The compile error names those that do not.
 *
 * ```ts
 * const serve = <E, R, T extends App.Routes, A>(app: App.Servable<E, R, T, A>) => Server.layer(app)
 * ```
 */
import type { Respondable } from "effect/http/HttpServerRespondable"
import type * as App from "../../App.ts"

export type { Respondable } from "effect/http/HttpServerRespondable"

type Name<E> = E extends { readonly _tag: infer Tag extends string } ? Tag : E extends Error ? "an error" : "a failure"

/** An app with nothing unanswered, or the message that says what is. */
export type Servable<E, R, T extends App.Routes, Added> = 0 extends 1 & E
  ? "The failures of this app are `any`"
  : 0 extends 1 & R
    ? "The needs of this app are `any`"
    : [E] extends [Respondable]
      ? App.App<E, R, T, Added>
      : `${Name<Exclude<E, Respondable>>} has no response: catch it, or define it with HttpError.define`
