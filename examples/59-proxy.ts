// A reverse proxy: below /shop, and for whatever has no route of its own, the answers are those of another server.
//   curl localhost:8080/                                # home, answered here
//   curl localhost:8080/shop/items?page=2               # the shop has GET /items?page=2, asked by 127.0.0.1 through 1.1 edge
//   curl -d apple localhost:8080/shop/orders            # the shop has POST /orders
//   curl -i localhost:8080/shop/old                     # 302 and location: /new and via: 1.1 edge
//   curl -H 'X-Forwarded-For: 6.6.6.6' localhost:8080/  # home, answered here
//   curl -H 'X-Forwarded-For: 6.6.6.6' localhost:8080/a # asked by 127.0.0.1
//   curl -i localhost:8080/down/a                       # 502 and The upstream server cannot be reached
import { Effect, Layer } from "effect"
import { App, Proxy, Request, Response, Route, Server } from "effect-web"

// The other server. Here it is in the same program; more often it is in another, in any language.
const shop = App.make({
  old: Route.get("/old", Response.redirect("/new")),
  any: Route.any(
    "/{path:.*}",
    Effect.map(Request.current, ({ headers, method, url }) =>
      Response.text(`the shop has ${method} ${url}, asked by ${headers["x-forwarded-for"]} through ${headers.via}`)
    )
  )
})

export const layer = Layer.orDie(Server.layer(shop, { host: "127.0.0.1", port: 9059 }))

const proxy = Proxy.make({
  upstream: process.env.SHOP ?? "http://127.0.0.1:9059",
  via: "edge",
  timeouts: { response: "10 seconds" }
})

export const app = App.make({
  home: Route.get("/", Response.text("home, answered here")),
  shop: Route.mountHandler("/shop", proxy),
  // Several servers are asked in turn, and one that fails is left alone for a while.
  down: Route.mountHandler("/down", Proxy.make({ upstream: ["http://127.0.0.1:1", "http://127.0.0.1:2"] })),
  rest: Route.any("/{path:.*}", proxy)
})

if (import.meta.main) Server.layer(app).pipe(Layer.provide(layer), Server.launch())
