// A single-page app: its paths are answered with its page, its API is not; and assets by URLs that change with their content.
//   curl -H 'Accept: text/html' localhost:8080/users/42            # <h1>A site</h1>
//   curl -i -H 'Accept: text/html' localhost:8080/api/nothing      # 404
//   curl -i -H 'Accept: text/html' localhost:8080/assets/gone.js   # 404
//   curl -i localhost:8080/users/42                                # 404
//   curl localhost:8080/api/user                                   # {"name":"Ada"}
//   curl localhost:8080/welcome                                    # href="/assets/site-BxY12abc.css?v=
import { Effect } from "effect"
import { App, html, Response, Route, Server, StaticFiles } from "effect-web"

const spa = StaticFiles.make({
  root: new URL("site", import.meta.url),
  fallback: { file: "index.html", exclude: ["api/**"] }
})

// With a hash of the content in it, the URL may be kept for ever.
const welcome = Effect.gen(function* () {
  const css = yield* spa.url("/", "assets/site-BxY12abc.css")
  return Response.html(html`<link rel="stylesheet" href="${css}"><h1>Welcome</h1>`)
})

export const app = App.make({
  user: Route.get("/api/user", Response.json({ name: "Ada" })),
  welcome: Route.get("/welcome", welcome),
  spa: Route.get("/{path:.*}", spa)
})

if (import.meta.main) Server.run(app)
