import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import { AccessLog, App, Cors, Csrf, Middleware, RequestId, Response, Route, SecurityHeaders } from "effect-web"
import { Testing } from "effect-web/testing"
import { served } from "effect-web/testing/Served"

const lines: Array<string> = []

const around = <E, R, T extends App.Routes>(app: App.App<E, R, T>) =>
  app.pipe(
    App.use(Csrf.make({ exempt: (request) => request.headers["x-hook"] === "throws" && Effect.runSync(broken) })),
    App.use(Cors.make({ origins: ["https://a.test"] })),
    App.use(SecurityHeaders.make()),
    App.use(
      AccessLog.make({
        format: ({ outcome }) => `${outcome.requestId} ${outcome.status}`,
        write: (text) => lines.push(text)
      })
    ),
    App.use(RequestId.make({ accept: true }))
  )

const broken = Effect.sync((): boolean => {
  throw new Error("inside")
})

const routes = {
  plain: Route.view("/plain", { get: () => Response.text("plain"), post: () => Response.text("posted") }),
  later: Route.get("/later", () => Effect.as(Effect.yieldNow, Response.text("later"))),
  effect: Route.get("/effect", Effect.as(Effect.yieldNow, Response.text("effect"))),
  throws: Route.get("/throws", () => {
    throw new Error("inside")
  }),
  string: Route.get("/string", (() => "no response") as never)
}

const tagged = Middleware.onResponse((response) => Response.setHeader(response, "x-tag", "1"))

const wanted: ReadonlyArray<readonly [path: string, status: number]> = [
  ["/plain", 200],
  ["/later", 200],
  ["/effect", 200],
  ["/throws", 500],
  ["/string", 500],
  ["/nowhere", 404]
]

const answers = (client: Testing.Client) =>
  Effect.gen(function* () {
    for (const [path, status] of wanted) {
      const { headers, status: found } = yield* client.get(path, {
        headers: { origin: "https://a.test", "x-request-id": "mine" }
      })
      assert.strictEqual(found, status, path)
      assert.strictEqual(headers["x-request-id"], "mine", path)
      assert.strictEqual(headers["x-frame-options"], "DENY", path)
      assert.strictEqual(headers["access-control-allow-origin"], "https://a.test", path)
    }
    const refused = yield* client.post("/plain", { headers: { "sec-fetch-site": "cross-site" } })
    assert.strictEqual(refused.status, 403)
    assert.match(refused.headers["x-request-id"] ?? "", /^[0-9a-f]{32}$/)
    const died = yield* client.post("/plain", { headers: { "sec-fetch-site": "cross-site", "x-hook": "throws" } })
    assert.strictEqual(died.status, 500)
  })

describe("middleware that does its part at once", () => {
  served("answers the same in a row", around(App.make(routes)), answers)
  served("answers the same around what takes an effect", around(App.make(routes).pipe(App.use(tagged))), answers)
  served("answers the same below a mount", App.make({ all: Route.mount("/", around(App.make(routes))) }), answers)

  it.effect("gives a plain handler a fiber where its span is wanted", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.Span> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const client = yield* Effect.provideService(Testing.client(around(App.make(routes))), Tracer.Tracer, tracer)
      const { headers } = yield* client.get("/plain")
      const ids = spans.map(({ attributes }) => attributes.get("requestId")).filter((id) => id !== undefined)
      assert.deepStrictEqual(ids, [headers["x-request-id"] as string])
    })
  )
})
