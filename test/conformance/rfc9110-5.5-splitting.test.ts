/**
 * What a client sends never becomes a field of an answer, wherever a handler puts it.
 *
 * @spec RFC 9110 §5.5; RFC 9112 §11.1
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as App from "../../src/App.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as Redirect from "../../src/Redirect.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { both, get } from "../server/both.ts"

const evil = "x\r\nX-Evil: 1\r\n\r\n<script>"

const place = (f: (value: string) => HttpServerResponse.HttpServerResponse) =>
  Effect.map(Request.query, (query) => f(query.get("value") ?? ""))

const app = App.make({
  header: Route.get(
    "/header",
    place((value) => Response.text("").pipe(Response.setHeader("x", value)))
  ),
  name: Route.get(
    "/name",
    place((value) => Response.text("").pipe(Response.setHeader(value, "x")))
  ),
  type: Route.get(
    "/type",
    place((value) => Response.text("", { contentType: value }))
  ),
  reason: Route.get(
    "/reason",
    place((value) => Response.text("", { status: 200, statusText: value }))
  ),
  location: Route.get(
    "/location",
    place((value) => Response.redirect(value))
  ),
  failure: Route.get(
    "/failure",
    Effect.flatMap(Request.query, (query) => Effect.fail(new Redirect.Found({ location: query.get("value") ?? "" })))
  ),
  cookie: Route.get(
    "/cookie",
    place((value) => Response.text("").pipe(Response.setCookie("x", value)))
  ),
  cookieName: Route.get(
    "/cookieName",
    place((value) => Response.text("").pipe(Response.setCookie(value, "x")))
  ),
  cookiePath: Route.get(
    "/cookiePath",
    place((value) => Response.text("").pipe(Response.setCookie("x", "y", { path: value as "/" })))
  ),
  attachment: Route.get(
    "/attachment",
    place((value) => Response.text("").pipe(Response.attachment(value)))
  ),
  etag: Route.get(
    "/etag",
    place((value) => Response.text("").pipe(Response.etag(value)))
  ),
  text: Route.get(
    "/text",
    Effect.flatMap(Request.query, (query) => Effect.fail(new HttpError.BadRequest({ text: query.get("value") ?? "" })))
  ),
  headers: Route.get(
    "/headers",
    Effect.flatMap(Request.query, (query) =>
      Effect.fail(new HttpError.BadRequest({ headers: { x: query.get("value") ?? "" } }))
    )
  )
})

/** Where the value is encoded; elsewhere it is a 500. */
const encoded: Readonly<Record<string, number>> = {
  location: 302,
  failure: 302,
  cookie: 200,
  attachment: 200,
  text: 400
}

describe("CR and LF of a query", () => {
  for (const name of Object.keys(app.routes)) {
    both(`stay in their place as ${name}`, app, ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get(`/${name}?value=${encodeURIComponent(evil)}`))
        const answer = yield* wire.answer()
        assert.strictEqual(answer.status, encoded[name] ?? 500)
        assert.isUndefined(answer.headers["x-evil"])
        assert.strictEqual(wire.rest(), "")
        yield* wire.send(get("/text"))
        assert.strictEqual((yield* wire.answer()).status, 400)
      })
    )
  }
})
