// URLs by the names of the routes, typed by their paths, through mounts; values are encoded and checked.
//   curl localhost:8080/                         # <a href="/items/42">
//   curl localhost:8080/                         # <a href="/search?q=a+%26+b#top">
//   curl localhost:8080/                         # <a href="/shop/orders/caf%C3%A9">
//   curl localhost:8080/shop/orders/caf%C3%A9    # café
import { Effect } from "effect"
import { App, type Handler, html, Response, Route, Server } from "effect-web"

// The type is said, because the URLs are those of an app that this handler is in.
const home: Handler.Handler = Effect.sync(() =>
  Response.html(html`<ul>
    <li><a href="${urls.item({ id: 42 })}">An item</a></li>
    <li><a href="${urls.search({}, { query: { q: "a & b" }, hash: "top" })}">A search</a></li>
    <li><a href="${urls.shop.order({ name: "café" })}">An order</a></li>
  </ul>`)
)

const shop = App.make({
  order: Route.get("/orders/{name}", ({ params }) => Response.text(params.name))
})

export const app = App.make({
  home: Route.get("/", home),
  item: Route.get("/items/{id:\\d+}", ({ params }) => Response.text(params.id)),
  search: Route.get("/search", Response.text("Nothing found")),
  shop: Route.mount("/shop", shop)
})

const urls = App.urls(app)

if (import.meta.main) Server.run(app)
