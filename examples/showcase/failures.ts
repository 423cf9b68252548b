/**
 * Typed failures, their three renderings, and what nobody expected.
 */
import * as Fs from "node:fs"
import { Effect, Option, Schema } from "effect"
import { App, ErrorResponse, HttpError, html, Response, Route } from "effect-web"
import type { Group } from "./page.ts"

class OutOfStock extends HttpError.define<OutOfStock>()(
  "OutOfStock",
  { status: 409 },
  { item: Schema.String, left: Schema.Int }
) {}

const order = Effect.gen(function* () {
  return yield* new OutOfStock({ item: "teapot", left: 0, text: "Somebody was faster" })
})

const broken = Effect.fail(
  new HttpError.InternalServerError({
    text: "Something failed",
    cause: new Error("The database is at 10.0.0.7, which is nobody's business")
  })
)

const busy = Effect.fail(new HttpError.ServiceUnavailable({ retryAfter: "5 seconds" }))

const bug = Effect.sync(() => Response.text(Option.getOrThrow(Option.none<string>())))

const readSource = (path: string): string | undefined =>
  Fs.existsSync(path) ? Fs.readFileSync(path, "utf8") : undefined

const development = App.make(
  { bug: Route.get("/bug", bug) },
  { errorResponse: ErrorResponse.development({ readSource }) }
)

export const routes = {
  order: Route.post("/orders", order),
  broken: Route.get("/broken", broken),
  busy: Route.get("/busy", busy),
  bug: Route.get("/bug", bug),
  development: Route.mount("/development", development)
}

const accept = (type: string) => ({ accept: type })

export const group: Group = {
  id: "failures",
  title: "Failures",
  text: "HTTP errors are typed failures. An error that nobody answers does not compile; a defect is a 500 and is logged.",
  cards: [
    {
      title: "One renderer, three forms",
      text: html`Every failure, the unknown path too, comes as the client likes it: problem details, HTML or text.`,
      example: "14-errors.ts",
      tries: [
        { label: "problem+json", path: "/no-such-path", headers: accept("*/*") },
        { label: "HTML", path: "/no-such-path", headers: accept("text/html") },
        { label: "text", path: "/no-such-path", headers: accept("text/plain") },
        { label: "as a page", path: "/no-such-path", open: true }
      ]
    },
    {
      title: "An error of your own",
      text: html`<code>HttpError.define</code> makes a tagged class with a status; its fields become members of the body.`,
      example: "14-errors.ts",
      tries: [{ label: "/orders", path: "/orders", method: "POST" }]
    },
    {
      title: "For the client, for the log",
      text: html`<code>text</code> is sent, <code>cause</code> never is. A defect says nothing to the client at all.`,
      example: "14-errors.ts",
      tries: [
        { label: "/broken", path: "/broken" },
        { label: "/bug", path: "/bug" },
        { label: "/busy (Retry-After)", path: "/busy" }
      ]
    },
    {
      title: "The page for developers",
      text: html`In development a browser gets the whole cause, with the source around each frame. Never in production.`,
      example: "15-error-pages.ts",
      tries: [{ label: "/development/bug", path: "/development/bug", open: true }]
    }
  ]
}
