/**
 * Clients that leave, middleware, and the app as data.
 */
import { Context, Effect, Layer, Ref } from "effect"
import { App, html, Middleware, Response, Route } from "effect-web"
import type { Group } from "./page.ts"

/** What has become of the slow requests. */
export class Journal extends Context.Service<
  Journal,
  { readonly add: (line: string) => Effect.Effect<void>; readonly lines: Effect.Effect<ReadonlyArray<string>> }
>()("showcase/Journal") {
  static readonly layer = Layer.effect(
    Journal,
    Effect.gen(function* () {
      const lines = yield* Ref.make<ReadonlyArray<string>>([])
      const add = (line: string) => Ref.update(lines, (all) => [...all.slice(-9), line])
      return { add, lines: Ref.get(lines) }
    })
  )
}

const slow = Effect.gen(function* () {
  const journal = yield* Journal
  yield* journal.add("begun")
  yield* Effect.sleep("2 seconds").pipe(Effect.onInterrupt(() => journal.add("interrupted: the client has left")))
  yield* journal.add("finished")
  return Response.text("That took two seconds")
})

const journal = Effect.gen(function* () {
  const lines = yield* Effect.flatMap(Journal, ({ lines }) => lines)
  return Response.json(lines)
})

export const routes = {
  slow: Route.get("/slow", slow),
  journal: Route.get("/slow/journal", journal)
}

/** The table of an app's routes, as a route of another. */
export const listing = (app: App.Any) =>
  Route.get(
    "/routes",
    Response.text(
      App.routes(app)
        .map(({ host, method, name, path }) => `${method.padEnd(7)} ${host ?? ""}${path}  (${name})`)
        .join("\n")
    )
  )

/** On every answer, those to failures included. */
export const secure = Middleware.onResponse((response) =>
  Response.setHeaders(response, { "x-content-type-options": "nosniff", "referrer-policy": "same-origin" })
)

export const group: Group = {
  id: "server",
  title: "Server",
  text: "A server is a scoped resource: requests, clients and the stop are structured concurrency.",
  cards: [
    {
      title: "The client leaves",
      text: html`Then the handler is interrupted, and its finalizers run. Leave the slow request, and read its journal.`,
      example: "34-run-options.ts",
      tries: [
        { label: "/slow", path: "/slow" },
        { label: "/slow, and leave", path: "/slow", leaveAfter: 700 },
        { label: "/slow/journal", path: "/slow/journal" }
      ]
    },
    {
      title: "Middleware",
      text: html`A function from handler to handler. <code>server-timing</code> wraps each handler, <code>nosniff</code> is on
        every answer, compression around all.`,
      example: "26-middleware.ts",
      tries: [
        { label: "/json", path: "/json" },
        { label: "/no-such-path", path: "/no-such-path" }
      ]
    },
    {
      title: "Guarded edges",
      text: html`What is too long, too slow or malformed is answered before it reaches the app, in the same form as any failure.`,
      example: "34-run-options.ts",
      tries: [
        { label: "9,000 characters: 414", path: `/hello/${"A".repeat(9000)}` },
        { label: "malformed encoding: 400", path: "/hello/%zz" }
      ]
    },
    {
      title: "The app is data",
      text: html`<code>App.routes(app)</code> lists every route of this server, through mounts and hosts.`,
      example: "17-route-table.ts",
      tries: [{ label: "/routes", path: "/routes" }]
    }
  ]
}
