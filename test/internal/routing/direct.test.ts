import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { App, Middleware, Response, Route } from "effect-web"
import { served } from "effect-web/testing/Served"

const routes = {
  value: Route.get("/value", Response.text("a response")),
  exit: Route.get("/exit", Effect.succeed(Response.text("an exit"))),
  plain: Route.get("/plain/{id}", ({ params }) => Response.text(`plain ${params.id}`)),
  atOnce: Route.get("/at-once/{id}", ({ params }) => Effect.succeed(Response.text(`at once ${params.id}`))),
  later: Route.get("/later/{id}", ({ params }) => Effect.as(Effect.yieldNow, Response.text(`later ${params.id}`))),
  throws: Route.get("/throws", () => {
    throw new Error("inside")
  }),
  string: Route.get("/string", (() => "no response") as never),
  nothing: Route.get("/nothing", (() => undefined) as never),
  view: Route.view("/view", { get: Response.text("seen"), post: () => Response.text("posted") })
}

const wanted: ReadonlyArray<readonly [path: string, status: number, text?: string]> = [
  ["/value", 200, "a response"],
  ["/exit", 200, "an exit"],
  ["/plain/1", 200, "plain 1"],
  ["/at-once/2", 200, "at once 2"],
  ["/later/3", 200, "later 3"],
  ["/throws", 500],
  ["/string", 500],
  ["/nothing", 500],
  ["/view", 200, "seen"]
]

const tagged = Middleware.onResponse(Response.setHeader("x-tag", "1"))

describe("handlers that are or give a response at once", () => {
  for (const [where, app, tag] of [
    ["without middleware", App.make(routes), undefined],
    ["in middleware", App.make(routes).pipe(App.use(tagged)), "1"]
  ] as const) {
    served(`are answered ${where}`, app, (client) =>
      Effect.gen(function* () {
        for (const [path, status, text] of wanted) {
          const response = yield* client.get(path)
          assert.strictEqual(response.status, status, path)
          assert.strictEqual(response.headers["x-tag"], tag, path)
          if (text !== undefined) assert.strictEqual(yield* response.text, text)
        }
        assert.strictEqual((yield* client.head("/value")).headers["content-length"], "10")
      })
    )
  }
})
