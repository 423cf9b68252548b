// Pages of our own for browsers, for every failure: unknown paths, wrong methods and defects included. Others get what they like.
//   curl -i -H 'Accept: text/html' localhost:8080/nope   # 404 and text/html and We looked everywhere
//   curl -i -H 'Accept: text/html' localhost:8080/bug    # 500 and Our fault
//   curl -i localhost:8080/nope                          # 404 and application/problem+json and "title":"Not Found"
//   curl -i -H 'Accept: text/plain' localhost:8080/nope  # 404 and text/plain and 404: Not Found
//   curl -i -H 'Accept: text/html' -X PUT localhost:8080/bug  # 405 and allow: GET, HEAD, OPTIONS
import { Effect } from "effect"
import { App, ErrorResponse, html, Route, Server } from "effect-web"

// The status, and the headers and cookies of the error (`Allow`, `WWW-Authenticate`, ...) come by themselves.
const errorResponse = ErrorResponse.html(
  ({ error: { status, text, title } }) => html`<!doctype html>
<html lang="en"><title>${title}</title>
<h1>${status >= 500 ? "Our fault" : "We looked everywhere"}</h1>
<p>${status} ${title}</p>${text !== undefined && html`<p>${text}</p>`}
</html>`
)

export const app = App.make({ bug: Route.get("/bug", Effect.die(new Error("A bug"))) }, { errorResponse })

if (import.meta.main) Server.run(app)
