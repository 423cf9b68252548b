// HTML that is escaped by construction: what is interpolated stays text, lists and other markup nest.
//   curl localhost:8080/                          # <li>1 &lt; 2</li>
//   curl 'localhost:8080/hello/<b>Ada</b>'        # <h1>Hello, &lt;b&gt;Ada&lt;/b&gt;</h1>
import { App, Html, html, Response, Route, Server } from "effect-web"

const page = (title: string, body: Html.Html) => html`<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>${title}</title></head>
  <body>${body}</body>
</html>`

const facts = ["1 < 2", "salt & pepper", `"quoted"`]

const list = html`<ul>${facts.map((fact) => html`<li>${fact}</li>`)}</ul>`

// Only for text that no client can influence.
const trusted = Html.raw("<hr>")

export const app = App.make({
  home: Route.get("/", Response.html(page("Facts", html`${list}${trusted}`))),
  hello: Route.get("/hello/{name:.*}", ({ params }) =>
    Response.html(page(params.name, html`<h1>Hello, ${params.name}</h1>`))
  )
})

if (import.meta.main) Server.run(app)
