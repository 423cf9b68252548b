/**
 * The handler of a described route: decodes what is declared, calls the function, encodes what it returns.
 *
 * ```ts
 * handler({ query, body: Body.json(NewUser), success: Response.schema(User) }, ({ query, body }) => create(body))
 * ```
 *
 * Params, query, headers, cookies and body are decoded in this order, up to the first that fails. Decoders are compiled when
 * the route is made; what is not declared costs nothing.
 */
import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import { type Handler, RouteContext } from "../../Handler.ts"
import { decodeCookies, decodeHeaders, decodeParams, decodeQuery } from "../requests/decodeRequest.ts"
import type { Description } from "./description.ts"

type Input = Readonly<Record<string, unknown>>
type Result = Effect.Effect<unknown, unknown, unknown>
type Slot = { readonly name: string; readonly value: Result }

/** Makes the handler. What is declared is decoded for an Effect too, which has no input: a client has to keep to it. */
export const handler = (
  description: Description<string>,
  f: ((input: never) => Result) | Result
): Handler<unknown, unknown> => {
  const slots = declared(description, !Effect.isEffect(f))
  // What the slots decode is what the type of the description says that `f` takes.
  const call = Effect.isEffect(f) ? () => f : (f as (input: Input) => Result)
  const encode = description.success?.encode as ((value: unknown) => Handler<unknown, unknown>) | undefined
  const answer = (input: Input): Handler<unknown, unknown> =>
    encode === undefined
      ? // Without `success` the type of the route says that it returns a response.
        (call(input) as Effect.Effect<HttpServerResponse, unknown, unknown>)
      : Effect.flatMapEager(call(input), encode)
  const from = (index: number, input: Input): Handler<unknown, unknown> => {
    const slot = slots[index]
    if (slot === undefined) return answer(input)
    return Effect.flatMap(slot.value, (value) => from(index + 1, { ...input, [slot.name]: value }))
  }
  return from(0, {})
}

const declared = (description: Description<string>, isFunction: boolean): ReadonlyArray<Slot> => {
  const { params, query, headers, cookies, body } = description
  const slots: Array<Slot> = []
  if (params !== undefined) slots.push({ name: "params", value: decodeParams(params) })
  else if (isFunction) slots.push({ name: "params", value: Effect.map(RouteContext, (route) => route.params) })
  if (query !== undefined) slots.push({ name: "query", value: decodeQuery(query) })
  if (headers !== undefined) slots.push({ name: "headers", value: decodeHeaders(headers) })
  if (cookies !== undefined) slots.push({ name: "cookies", value: decodeCookies(cookies) })
  if (body !== undefined) slots.push({ name: "body", value: body })
  return slots
}
