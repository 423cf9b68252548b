/**
 * Who asks, before a WebSocket is opened and under the web standard.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as App from "../../src/App.ts"
import * as Auth from "../../src/middleware/Auth.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { served } from "../../src/testing/Served.ts"
import * as WebSocket from "../../src/WebSocket.ts"

class CurrentUser extends Context.Service<CurrentUser, { readonly name: string }>()("app/CurrentUser") {}

const scheme = Auth.any([
  Auth.bearer((token) => Effect.succeed(Auth.equals(token, "t-ada") ? { name: "Ada" } : undefined)),
  Auth.apiKey((key) => Effect.succeed(Auth.equals(key, "k-ada") ? { name: "Ada" } : undefined), { query: "key" })
])
const greets = WebSocket.raw({}, (socket) =>
  CurrentUser.use(({ name }) => Effect.andThen(socket.send(`Hello, ${name}`), socket.closed))
)
const app = App.make({
  socket: Route.websocket("/socket", greets),
  me: Route.get(
    "/me",
    Effect.map(CurrentUser, ({ name }) => Response.text(`Hello, ${name}`))
  )
}).pipe(App.use(Auth.require(CurrentUser, scheme)))

served("a WebSocket is opened to whom the middleware finds", app, (client) =>
  Effect.gen(function* () {
    const refused = yield* Effect.flip(client.webSocket("/socket"))
    assert.strictEqual(refused.status, 401)
    for (const [path, headers] of [
      ["/socket", { authorization: "Bearer t-ada" }],
      ["/socket?key=k-ada", {}]
    ] as const) {
      const peer = yield* client.webSocket(path, { headers })
      assert.strictEqual(yield* peer.receive, "Hello, Ada")
    }
  })
)

describe("under the web standard", () => {
  const handler = App.toWebHandler(app)
  it.effect.each<[name: string, headers: ReadonlyArray<[string, string]>, status: number]>([
    ["a token", [["authorization", "Bearer t-ada"]], 200],
    ["no token", [], 401],
    [
      "two tokens",
      [
        ["authorization", "Bearer t-ada"],
        ["authorization", "Bearer t-ada"]
      ],
      401
    ]
  ])("%s", ([, headers, status]) =>
    Effect.gen(function* () {
      const request = new Request("http://app.test/me", { headers: headers.map(([name, value]) => [name, value]) })
      const response = yield* Effect.promise(() => handler(request))
      assert.strictEqual(response.status, status)
    })
  )
})
