/**
 * Text, HTML, JSON and redirects.
 */
import { Effect, Schema } from "effect"
import { type Html, html, Redirect, Request, Response, Route } from "effect-web"
import type { Group } from "./page.ts"

const hello = Effect.gen(function* () {
  const { name = "Anonymous" } = yield* Request.params
  return Response.text(`Hello, ${name}`)
})

const document = (title: string, body: Html.Html) => html`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${title}</title>
<body style="font: 1.2rem/1.6 system-ui; margin: 3rem">${body}<p><a href="/">Back</a></p></body></html>`

const Greeting = Schema.Struct({ name: Schema.String })

const greet = Effect.gen(function* () {
  const { name } = yield* Request.decodeQuery(Greeting)
  return Response.html(document("Hello", html`<h1>Hello, ${name}</h1>`))
})

const loggedIn = Effect.gen(function* () {
  if ((yield* Request.cookie("user")) === undefined) {
    return yield* new Redirect.SeeOther({ location: "/destination?from=account" })
  }
  return Response.text("Your account")
})

const arrived = Effect.gen(function* () {
  const from = (yield* Request.query).get("from") ?? "nowhere"
  return Response.html(document("Arrived", html`<h1>You have arrived</h1><p>You come from: ${from}</p>`))
})

export const routes = {
  hello: Route.get("/hello", hello),
  helloName: Route.get("/hello/{name}", hello),
  json: Route.get("/json", Response.json({ some: "data", list: [1, 2, 3] })),
  created: Route.post("/json", Response.json({ id: 1 }, { status: 201, headers: { location: "/json/1" } })),
  greet: Route.get("/greet", greet),
  moved: Route.get("/moved", Response.redirect("/destination?from=moved", { status: 308 })),
  account: Route.get("/account", loggedIn),
  destination: Route.get("/destination", arrived)
}

const attack = `<img src=x onerror="alert('no')">`

export const group: Group = {
  id: "basics",
  title: "Answers",
  text: "A handler is an Effect that gives a response.",
  cards: [
    {
      title: "Hello world",
      text: html`Two routes, one handler: <code>{name}</code> is a parameter of the path, with a default in the handler.`,
      example: "10-hello-world.ts",
      tries: [
        { label: "/hello", path: "/hello" },
        { label: "/hello/Ada", path: "/hello/Ada" },
        { label: "/hello/Zoë", path: "/hello/Zo%C3%AB" }
      ]
    },
    {
      title: "JSON",
      text: html`<code>Response.json</code> of any value, with a status and headers where they are not the usual ones.`,
      example: "11-json.ts",
      tries: [
        { label: "/json", path: "/json" },
        { label: "/json (201, Location)", path: "/json", method: "POST" }
      ]
    },
    {
      title: "HTML, escaped by construction",
      text: html`What is interpolated into <code>html</code> stays text. Try to break out of it.`,
      example: "12-html.ts",
      control: html`<form action="/greet" method="get">
        <label class="whole">Your name <input name="name" value="${attack}" required></label>
        <button>Greet me</button>
      </form>`,
      tries: [{ label: "the same, as a page", path: `/greet?name=${encodeURIComponent(attack)}`, open: true }]
    },
    {
      title: "Redirects",
      text: html`As the value of a handler, or as a typed failure from deep inside it. These links leave the page.`,
      example: "13-redirects.ts",
      tries: [
        { label: "/moved (308)", path: "/moved", open: true },
        { label: "/account (303, unless logged in)", path: "/account", open: true }
      ]
    }
  ]
}
