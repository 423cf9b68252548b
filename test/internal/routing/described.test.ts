/**
 * The handlers of described routes.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Body from "../../../src/Body.ts"
import { type Handler, RouteContext } from "../../../src/Handler.ts"
import * as HttpError from "../../../src/HttpError.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"

const Item = Schema.Struct({ id: Schema.Int, name: Schema.String, tags: Schema.Array(Schema.String) })

class Taken extends HttpError.define<Taken>()("Taken", { status: 409 }) {}

let calls = 0

const create = Route.post(
  "/items/{id}",
  {
    params: Schema.Struct({ id: Schema.FiniteFromString }),
    query: Schema.Struct({ tag: Schema.Array(Schema.String) }),
    headers: Schema.Struct({ "x-a": Schema.String }),
    cookies: Schema.Struct({ c: Schema.FiniteFromString }),
    body: Body.json(Schema.Struct({ name: Schema.String }), { limit: "1 kB" }),
    success: Response.schema(Item, { status: 201 }),
    errors: [Taken]
  },
  (input) => {
    expectTypeOf(input.query.tag).toEqualTypeOf<ReadonlyArray<string>>()
    calls++
    const { params, query, headers, cookies, body } = input
    if (body.name === "taken") return Effect.fail(new Taken({ text: "It is taken" }))
    return Effect.succeed({ id: params.id, name: body.name, tags: [...query.tag, headers["x-a"], String(cookies.c)] })
  }
)
const raw = Route.get("/raw/{id}", { summary: "Raw" }, (input) =>
  Effect.succeed(Response.text(`${input.params.id} ${Object.keys(input)}`))
)
const ok = Response.schema(Schema.Struct({ ok: Schema.Boolean }))
const effect = Route.get(
  "/effect",
  { query: Schema.Struct({ a: Schema.String }), success: ok },
  Effect.succeed({ ok: true })
)
const bare = Route.get("/bare", { deprecated: true }, Effect.succeed(Response.text("bare")))

interface Sent {
  readonly id?: string
  readonly query?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** The status and the text of an answer; the text of a failure. */
const answer = (route: Route.Any, { id = "1", query = "", headers = {}, body }: Sent = {}) => {
  const init = body === undefined ? {} : { body, method: "POST" }
  const request = new Request(`http://a/?${query}`, {
    headers: { "content-type": "application/json", ...headers },
    ...init
  })
  const [handler] = Object.values(route.handlers)
  // The routes of this file fail with HTTP errors, and need no more than what is provided here.
  return (handler as Handler<HttpError.HttpError, HttpServerRequest.HttpServerRequest | RouteContext>).pipe(
    Effect.provideService(HttpServerRequest.HttpServerRequest, HttpServerRequest.fromWeb(request)),
    Effect.provideService(RouteContext, { params: { id }, name: "a", path: "/" }),
    Effect.flatMap((response) =>
      Effect.promise(() => HttpServerResponse.toWeb(response).text()).pipe(
        Effect.map((text) => [response.status, text])
      )
    ),
    Effect.catch((error) => Effect.succeed([error.status, error.text]))
  )
}

const name = '{"name":"n"}'
const head = { "x-a": "h", cookie: "c=7" }

describe("a described route", () => {
  const rows: ReadonlyArray<readonly [string, Route.Any, Sent, readonly [number, string]]> = [
    [
      "decodes all and encodes",
      create,
      { id: "42", query: "tag=t", headers: head, body: name },
      [201, '{"id":42,"name":"n","tags":["t","h","7"]}']
    ],
    [
      "fails with what it declares",
      create,
      { query: "tag", headers: head, body: '{"name":"taken"}' },
      [409, "It is taken"]
    ],
    ["stops at the params", create, { id: "x" }, [400, "Invalid params: id: Expected a finite number"]],
    ["stops at the query", create, {}, [400, "Invalid query: tag: Missing key"]],
    ["stops at the headers", create, { query: "tag" }, [400, "Invalid headers: x-a: Missing key"]],
    [
      "stops at the cookies",
      create,
      { query: "tag", headers: { "x-a": "h" } },
      [400, "Invalid cookies: c: Missing key"]
    ],
    [
      "stops at the body",
      create,
      { query: "tag", headers: head, body: "{}" },
      [422, "Invalid body: name: Missing key"]
    ],
    [
      "stops at a body above its limit",
      create,
      { query: "tag", headers: head, body: `"${"n".repeat(999)}"` },
      [413, "The body is larger than 1000 bytes"]
    ],
    ["gives the params as they are, and nothing else", raw, { id: "a b" }, [200, "a b params"]],
    ["decodes for an Effect too", effect, {}, [400, "Invalid query: a: Missing key"]],
    ["encodes what an Effect gives", effect, { query: "a" }, [200, '{"ok":true}']],
    ["is a plain handler where nothing is declared", bare, {}, [200, "bare"]]
  ]
  for (const [title, route, sent, wanted] of rows) {
    it.effect(title, () => Effect.map(answer(route, sent), (found) => assert.deepStrictEqual(found, [...wanted])))
  }

  it.effect("calls its function only when all is decoded, and again for each request", () =>
    Effect.gen(function* () {
      calls = 0
      yield* answer(create, { query: "tag", headers: head, body: "{}" })
      assert.strictEqual(calls, 0)
      yield* answer(create, { query: "tag", headers: head, body: name })
      yield* answer(create, { query: "tag", headers: head, body: name })
      assert.strictEqual(calls, 2)
    })
  )
})
