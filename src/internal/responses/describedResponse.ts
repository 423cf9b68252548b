/**
 * The responses of described routes: values of a schema, encoded.
 *
 * ```ts
 * Route.get("/users/{id}", { success: Response.schema(User) }, ({ params }) => find(params.id))
 * ```
 */
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Base from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { hasBody, prepared, withHeaders } from "../bodies/responseBody.ts"

/** How a value becomes a response: the success of a described route. */
export interface Described<in A, out R = never> {
  readonly _tag: "Described"
  readonly schema: Schema.Constraint
  readonly status: number
  readonly contentType: string
  readonly encode: (value: A) => Effect.Effect<HttpServerResponse, never, R>
}

/**
 * Values of a schema as JSON, for the `success` of a described route. A value that does not encode is a defect (500).
 * With status 204, 205 or 304 there is no body.
 */
export const schema = <A, R = never>(
  schema: Schema.ConstraintCodec<A, unknown, unknown, R>,
  options?: {
    readonly status?: number
    /** The headers of the answer, or those of each value, as its `location`. */
    readonly headers?: Headers.Input | ((value: A) => Headers.Input)
    readonly contentType?: string
  }
): Described<A, R> => {
  const { contentType = "application/json", headers = {}, status = 200 } = options ?? {}
  const ofValue = typeof headers === "function" ? headers : undefined
  const made = prepared({
    status,
    contentType,
    headers: ofValue ? Headers.empty : Headers.fromInput(headers as Headers.Input)
  })
  const codec = Schema.encodeEffect(Schema.toCodecJson(schema))
  const respond = hasBody(status)
    ? (encoded: unknown) => Base.text(JSON.stringify(encoded), made)
    : () => Base.empty({ status, headers: made.headers })
  return {
    _tag: "Described",
    schema,
    status,
    contentType,
    // A schema without effects encodes to an Exit, which mapEager maps without a step of the fiber.
    encode: (value) =>
      Effect.mapEager(Effect.catchEager(codec(value), Effect.die), (encoded) =>
        ofValue === undefined ? respond(encoded) : withHeaders(respond(encoded), ofValue(value))
      )
  }
}
