// Rate limits: how often a client may ask, by address or by key; who is over a limit gets 429 and when to come back.
//   curl -i localhost:8080/                                    # 200 and ratelimit-policy: "site";q=100;w=60 and ratelimit: "site";r=99;t=1
//   curl -i -H 'X-Api-Key: ada' 'localhost:8080/search?q=a'    # 200 and ratelimit: "site";r=98;t=2, "search";r=1;t=5
//   curl -i -H 'X-Api-Key: ada' 'localhost:8080/search?q=b'    # 200
//   curl -i -H 'X-Api-Key: ada' 'localhost:8080/search?q=c'    # 429 and retry-after: 5
//   curl -i -H 'X-Api-Key: grace' 'localhost:8080/search?q=c'  # 200
//   curl -i localhost:8080/health                              # 200
import { Effect } from "effect"
import { App, RateLimit, Request, Response, Route, Server } from "effect-web"

const site = RateLimit.make({
  limit: 100,
  window: "1 minute",
  name: "site",
  skip: Effect.map(Request.path, (path) => path === "/health")
})
const search = RateLimit.make({
  limit: 2,
  window: "10 seconds",
  name: "search",
  key: RateLimit.byHeader("x-api-key"),
  algorithm: "token-bucket"
})

export const app = App.make({
  home: Route.get("/", Response.text("Welcome")),
  search: Route.get("/search", Response.text("Found")).pipe(Route.use(search)),
  health: Route.get("/health", Response.text("fine"))
}).pipe(App.use(site))

if (import.meta.main) Server.run(app)
