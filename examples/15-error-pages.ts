// One renderer for every failure: unknown paths, wrong methods and defects included. Here: a page of our own for browsers.
//   curl -i -H 'Accept: text/html' localhost:8080/nope   # 404 and text/html and We looked everywhere
//   curl -i -H 'Accept: text/html' localhost:8080/bug    # 500 and Our fault
//   curl -i localhost:8080/nope                          # 404 and application/problem+json and "title":"Not Found"
//   curl -i -H 'Accept: text/plain' localhost:8080/nope  # 404 and text/plain and 404: Not Found
//   curl -i -X PUT localhost:8080/bug                    # 405 and allow: GET, HEAD, OPTIONS
import { Effect } from "effect"
import { App, ErrorResponse, type HttpError, html, Response, Route, Server } from "effect-web"

const page = ({ status, text, title }: HttpError.HttpError) => html`<!doctype html>
<html lang="en"><title>${title}</title>
<h1>${status >= 500 ? "Our fault" : "We looked everywhere"}</h1>
<p>${status} ${title}</p>${text !== undefined && html`<p>${text}</p>`}
</html>`

// The standard renderer knows what the client likes, and the headers of the error; only its HTML is replaced.
const errorResponse: ErrorResponse.Renderer = (failure) =>
  Effect.map(ErrorResponse.render(failure), (standard) => {
    const { headers, status } = standard
    return headers["content-type"]?.startsWith("text/html")
      ? Response.html(page(failure.error), { status, headers })
      : standard
  })

export const app = App.make({ bug: Route.get("/bug", Effect.die(new Error("A bug"))) }, { errorResponse })

if (import.meta.main) Server.run(app)
