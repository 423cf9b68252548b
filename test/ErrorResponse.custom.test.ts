import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { App, ErrorResponse, HttpError, html, Response, Route } from "effect-web"
import { Testing } from "effect-web/testing"

const routes = {
  secret: Route.get("/secret", Effect.fail(new HttpError.Unauthorized({ challenges: ["Bearer"] }))),
  dies: Route.get("/dies", Effect.die(new Error("inside")))
}

describe("a renderer of one's own", () => {
  const page = () => Effect.succeed(Response.html(html`<h1>sorry</h1>`, { status: 400 }))

  it.effect.each([
    ["PUT", "/secret", "allow", "GET, HEAD, OPTIONS"],
    ["GET", "/secret", "www-authenticate", "Bearer"]
  ] as const)("%s %s keeps the header %s of its error", ([method, path, name, value]) =>
    Effect.gen(function* () {
      const client = yield* Testing.client(App.make(routes, { errorResponse: page }))
      const response = yield* method === "PUT" ? client.put(path) : client.get(path)
      assert.strictEqual(response.headers[name], value)
      assert.strictEqual(yield* response.text, "<h1>sorry</h1>")
    })
  )

  it.effect("for browsers only leaves the other renderings", () =>
    Effect.gen(function* () {
      const errorResponse = ErrorResponse.html(({ error }) => html`<p>${error.title}</p>`)
      const client = yield* Testing.client(App.make(routes, { errorResponse }))
      const forBrowser = yield* client.get("/no", { headers: { accept: "text/html" } })
      assert.strictEqual(forBrowser.status, 404)
      assert.strictEqual(yield* forBrowser.text, "<p>Not Found</p>")
      const forScript = yield* client.get("/no")
      assert.strictEqual(forScript.headers["content-type"], "application/problem+json")
    })
  )
})

it.effect("the log line of a failure has what middleware annotated", () => {
  const lines: Array<Readonly<Record<string, unknown>>> = []
  const logger = Logger.make(({ fiber }) => {
    lines.push({ ...fiber.getRef(References.CurrentLogAnnotations) })
  })
  return Effect.gen(function* () {
    const app = App.make(routes).pipe(App.use((handler) => Effect.annotateLogs(handler, "request", "r-1")))
    const client = yield* Testing.client(app)
    assert.strictEqual((yield* client.get("/dies")).status, 500)
    assert.deepStrictEqual(lines, [{ request: "r-1", "http.method": "GET", "http.path": "/dies" }])
  }).pipe(Effect.provide(Logger.layer([logger])))
})
