/**
 * Patterns, methods, views, URLs by name, apps below prefixes and hosts.
 */
import { Effect } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { App, HttpError, html, Middleware, Request, Response, Route } from "effect-web"
import type { Group } from "./page.ts"

const requireToken = Middleware.before(
  Effect.gen(function* () {
    const authorization = yield* Request.header("authorization")
    if (authorization !== "Bearer s3cret") return yield* new HttpError.Unauthorized({ challenges: ["Bearer"] })
  }),
  { errors: [HttpError.Unauthorized] }
)

const admin = App.make({
  user: Route.get("/users/{id}", ({ params }) => Response.text(`The user ${params.id}, seen by an administrator`))
}).pipe(App.use(requireToken))

const tenant = App.make({
  home: Route.get(
    "/",
    Effect.map(Request.params, ({ tenant }) => Response.text(`The page of ${tenant}, told apart by the host`))
  )
})

const legacy = HttpRouter.add(
  "GET",
  "/users/:id",
  Effect.map(HttpRouter.params, ({ id }) => HttpServerResponse.text(`The user ${id}, from Effect's own HttpRouter`))
)

const pages = App.make({
  article: Route.get("/{year:\\d{4}}/{name}.{ext}", ({ params }) => Response.json(params))
})

const table = {
  item: Route.get("/items/{id:\\d+}", ({ params }) => Response.text(`The item ${params.id}`)),
  newItem: Route.get("/items/new", Response.text("A form for a new item: a fixed path beats a pattern")),
  files: Route.get("/files/{path:.*}", ({ params }) => Response.text(`The rest of the path: ${params.path}`)),
  view: Route.view("/view", { get: Response.text("The view's GET"), post: Response.text("The view's POST") }),
  pages: Route.mount("/pages", pages),
  admin: Route.mount("/admin", admin),
  legacy: Route.mountHandler("/legacy", legacy)
}

const urls = App.urls(App.make(table))

const links = [
  urls.item({ id: 42 }),
  urls.files({ path: "a/b c.txt" }),
  urls.pages.article({ year: 2026, name: "café", ext: "html" }, { query: { page: 2 }, hash: "top" })
]

export const routes = {
  ...table,
  urls: Route.get("/urls", Response.json(links)),
  tenant: Route.host("{tenant}.localhost", tenant)
}

const bearer = { authorization: "Bearer s3cret" }

/** The cards; the port is the one that the browser knows. */
export const group = (port: string): Group => ({
  id: "routing",
  title: "Routes",
  text: "A table of routes is a record: it can be listed, checked and turned into URLs without being run.",
  cards: [
    {
      title: "Patterns",
      text: html`Parameters, regular expressions, several in one segment, the rest of a path. Their names are in the types.`,
      example: "16-routes.ts",
      tries: [
        { label: "/items/42", path: "/items/42" },
        { label: "/items/new", path: "/items/new" },
        { label: "/items/x", path: "/items/x" },
        { label: "/pages/2026/hello.html", path: "/pages/2026/hello.html" },
        { label: "/files/a/b/c.txt", path: "/files/a/b/c.txt" }
      ]
    },
    {
      title: "Methods and views",
      text: html`A view is several methods of one path. HEAD comes with GET, OPTIONS and 405 come with every path, with
        <code>Allow</code>.`,
      example: "17-route-table.ts",
      tries: [
        { label: "/view", path: "/view" },
        { label: "/view", path: "/view", method: "POST" },
        { label: "/view", path: "/view", method: "HEAD" },
        { label: "/view", path: "/view", method: "OPTIONS" },
        { label: "/view", path: "/view", method: "DELETE" }
      ]
    },
    {
      title: "URLs by name",
      text: html`<code>App.urls(app).item({ id: 42 })</code>: typed by the route's path, encoded, and checked against it.`,
      example: "18-urls.ts",
      tries: [{ label: "/urls", path: "/urls" }]
    },
    {
      title: "An app inside the app",
      text: html`A prefix with routes and middleware of its own: everything below <code>/admin</code> wants a token, the 404 too.`,
      example: "19-sub-apps.ts",
      tries: [
        { label: "/admin/users/7", path: "/admin/users/7" },
        { label: "... with the token", path: "/admin/users/7", headers: bearer },
        { label: "/admin/nope with the token", path: "/admin/nope", headers: bearer }
      ]
    },
    {
      title: "Hosts",
      text: html`Another name, another app: <code>{tenant}.localhost</code>. Browsers know that these names are this machine.`,
      example: "20-hosts.ts",
      tries: [
        { label: "ada.localhost", path: `http://ada.localhost:${port}/`, open: true },
        { label: "grace.localhost", path: `http://grace.localhost:${port}/`, open: true }
      ]
    },
    {
      title: "Effect's own apps",
      text: html`An <code>HttpRouter</code>, an <code>HttpApi</code> or any Effect handler, below a prefix.`,
      example: "37-effect-apps.ts",
      tries: [
        { label: "/legacy/users/7", path: "/legacy/users/7" },
        { label: "/legacy/nope", path: "/legacy/nope" }
      ]
    }
  ]
})
