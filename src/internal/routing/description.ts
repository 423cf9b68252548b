/**
 * The description of a route, as data and as types: what it takes, what it gives, how it fails.
 *
 * ```ts
 * const description: Description<"/users/{id}"> = { query: Schema.Struct({ page: Schema.FiniteFromString }) }
 * ```
 */

import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Schema from "effect/Schema"
import type * as Body from "../../Body.ts"
import type * as HttpError from "../../HttpError.ts"
import type { ParamName } from "../../http/Pattern.ts"
import type { ErrorClass } from "../../Middleware.ts"
import type * as Response from "../../Response.ts"

type Fields = { readonly [name: string]: unknown }

/** What a described route declares. Parts that are absent are not decoded. */
export interface Description<Path extends string> {
  /** Decodes the path parameters; failures are BadRequest (400). */
  readonly params?: Schema.ConstraintCodec<unknown, { readonly [K in ParamName<Path>]: unknown }, unknown, unknown>
  /** Decodes the query; a name that occurs once is a string, or an array where the schema wants one. BadRequest (400). */
  readonly query?: Schema.ConstraintCodec<unknown, Fields, unknown, unknown>
  /** Decodes the header fields, by lower-case names. BadRequest (400). */
  readonly headers?: Schema.ConstraintCodec<unknown, Fields, unknown, unknown>
  /** Decodes the cookies. BadRequest (400). */
  readonly cookies?: Schema.ConstraintCodec<unknown, Fields, unknown, unknown>
  readonly body?: Body.Body<unknown, unknown>
  /** Encodes what the handler returns; without it the handler returns a response. */
  readonly success?: Response.Described<never, unknown>
  /** The failures of the handler; anything else does not compile. */
  readonly errors?: ReadonlyArray<ErrorClass>
  readonly summary?: string
  readonly description?: string
  readonly tags?: ReadonlyArray<string>
  readonly deprecated?: boolean
}

/** "params" when the path has parameters, else nothing. */
export type ParamSlot<Path extends string> = [ParamName<Path>] extends [never] ? never : "params"

/** What is in D and means nothing: a misspelled part, or parameters of a path that has none. */
export type Unknown<Path extends string, D> = Exclude<
  keyof D,
  [ParamName<Path>] extends [never] ? Exclude<keyof Description<Path>, "params"> : keyof Description<Path>
>

type Decoded = "query" | "headers" | "cookies" | "body"

/** The parts of the input of a route with this description. */
export type Slot<Path extends string, D> = ParamSlot<Path> | Extract<keyof D, Decoded>

/** A part of the input, decoded. */
export type SlotValue<Path extends string, D, K> = K extends "params"
  ? D extends { readonly params: { readonly Type: infer A } }
    ? A
    : { readonly [Name in ParamName<Path>]: string }
  : K extends keyof D
    ? D[K] extends { readonly Type: infer A }
      ? A
      : D[K] extends Body.Body<infer A, unknown>
        ? A
        : never
    : never

/** What the handler of a described route returns. */
export type OutOf<D> = D extends { readonly success: Response.Described<infer A, unknown> } ? A : HttpServerResponse

/** The failures that a description lists. */
export type Declared<D> = D extends { readonly errors: ReadonlyArray<infer C> }
  ? C extends abstract new (
      ...args: never
    ) => infer E
    ? E
    : never
  : never

/** The failures of reading and decoding a body. */
export type BodyError =
  | HttpError.BadRequest
  | HttpError.ContentTooLarge
  | HttpError.UnprocessableContent
  | HttpError.UnsupportedMediaType

/** The failures of the body that a description asks for. */
export type BodyErrors<D> = D extends { readonly body: unknown } ? BodyError : never

/** The failures of the other parts that a description asks for. */
export type InputErrors<D> = [Extract<keyof D, "params" | "query" | "headers" | "cookies">] extends [never]
  ? never
  : HttpError.BadRequest

/** The services that the schemas of a description need. */
export type Services<D> =
  | Needs<D, "params">
  | Needs<D, "query">
  | Needs<D, "headers">
  | Needs<D, "cookies">
  | (D extends { readonly body: Body.Body<unknown, infer R> } ? R : never)
  | (D extends { readonly success: Response.Described<never, infer R> } ? R : never)

type Needs<D, K extends string> = D extends { readonly [_ in K]: { readonly DecodingServices: infer R } } ? R : never
