// An API that pages of other origins may use: some with cookies, and one route for everyone.
//   curl -i -H 'Origin: https://shop.example' localhost:8080/orders                    # 200 and access-control-allow-origin: https://shop.example and access-control-allow-credentials: true
//   curl -i -H 'Origin: https://evil.example' localhost:8080/orders                    # 200 and vary: Origin
//   curl -i -H 'Origin: https://eu.shop.example' localhost:8080/nothing                # 404 and access-control-allow-origin: https://eu.shop.example
//   curl -i -X OPTIONS -H 'Origin: https://shop.example' -H 'Access-Control-Request-Method: POST' -H 'Access-Control-Request-Headers: content-type' localhost:8080/orders  # 204 and access-control-allow-methods: POST and access-control-max-age: 3600
//   curl -i -X OPTIONS -H 'Origin: https://shop.example' -H 'Access-Control-Request-Method: DELETE' localhost:8080/orders  # 405 and allow: GET, HEAD, OPTIONS, POST
//   curl -i -X OPTIONS -H 'Origin: https://evil.example' -H 'Access-Control-Request-Method: POST' localhost:8080/orders    # 403 and Pages of this origin may not read answers here
//   curl -i -X OPTIONS localhost:8080/orders                                           # 204 and allow: GET, HEAD, OPTIONS, POST
//   curl -i -H 'Origin: https://anyone.example' localhost:8080/prices                  # 200 and access-control-allow-origin: *
import { App, Cors, Response, Route, Server } from "effect-web"

// With credentials the origins are named: with everyone's, every site could act as its visitor.
const ours = Cors.make({
  origins: ["https://shop.example", "https://*.shop.example", "http://localhost:*"],
  credentials: true,
  expose: ["X-Total-Count"],
  maxAge: "1 hour"
})

export const app = App.make({
  orders: Route.view("/orders", {
    get: Response.json(["tea"], { headers: { "x-total-count": "1" } }),
    post: Response.json({ ordered: true }, { status: 201 })
  }),
  // A route's own rules in place of the app's.
  prices: Route.get("/prices", Response.json({ tea: 3 })).pipe(Route.use(Cors.make({ origins: "*" })))
}).pipe(App.use(ours))

if (import.meta.main) Server.run(app)
