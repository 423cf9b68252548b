/**
 * Trusted proxies: what is below sees the client, and nobody else can say who that is.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as AccessLog from "../../src/middleware/AccessLog.ts"
import * as TrustedProxies from "../../src/middleware/TrustedProxies.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { served } from "../../src/testing/Served.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as WebSocket from "../../src/WebSocket.ts"
import { until } from "../server/both.ts"
import { asks } from "./asks.ts"

const client = Effect.gen(function* () {
  const { href } = yield* Request.url
  return Response.text(`${yield* Request.remote} ${yield* Request.protocol} ${yield* Request.host} ${href}`)
})

const routes = {
  client: Route.get("/client", client),
  plain: Route.get("/plain", () => Response.text("plain")),
  echo: Route.post(
    "/echo",
    Effect.map(Body.text(), (text) => Response.text(text))
  ),
  health: Route.get("/health", Response.text("healthy")),
  socket: Route.websocket(
    "/socket",
    WebSocket.raw({}, (socket) => Stream.runForEach(socket.messages, socket.send))
  )
}

const app = App.make(routes)
const forwarded = {
  host: "app",
  "x-forwarded-for": "6.6.6.6, 198.51.100.7",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "Example.com"
}

served(
  "what a trusted proxy says of the client is seen below",
  app.pipe(App.use(TrustedProxies.make({ trusted: ["127.0.0.0/8"] }))),
  asks([
    {
      ask: "GET /client",
      with: forwarded,
      status: 200,
      says: /^198\.51\.100\.7 https example\.com https:\/\/example\.com\/client$/
    },
    {
      ask: "GET /client?a=1",
      with: { host: "app:1", "x-forwarded-for": "::1" },
      status: 200,
      says: /^::1 http app:1 http:\/\/app:1\/client\?a=1$/
    },
    { ask: "GET /client", with: { host: "app" }, status: 200, says: /^127\.0\.0\.1 http app / },
    {
      ask: "GET /client",
      with: { ...forwarded, "x-forwarded-for": "unknown" },
      status: 200,
      says: /^127\.0\.0\.1 https example\.com /
    },
    {
      ask: "GET /client",
      with: { host: "app", "x-forwarded-proto": "https" },
      status: 200,
      says: /^127\.0\.0\.1 https app /
    },
    {
      ask: "GET /client",
      with: { host: "app", forwarded: "for=1.1.1.1;proto=https" },
      status: 200,
      says: /^127\.0\.0\.1 http /
    },
    { ask: "GET /plain", with: forwarded, status: 200, says: /^plain$/ },
    { ask: "POST /echo", with: forwarded, sends: ["text/plain", "a body"], status: 200, says: /^a body$/ },
    { ask: "GET /nothing", with: forwarded, status: 404 }
  ])
)

served(
  "Forwarded counts where it is the one field",
  app.pipe(App.use(TrustedProxies.make({ trusted: ["127.0.0.1"], header: "forwarded" }))),
  asks([
    {
      ask: "GET /client",
      with: { host: "app", forwarded: 'for=6.6.6.6, for="[2001:db8::1]:4711";proto=https;host="example.com:8443"' },
      status: 200,
      says: /^2001:db8::1 https example\.com:8443 https:\/\/example\.com:8443\/client$/
    },
    { ask: "GET /client", with: forwarded, status: 200, says: /^127\.0\.0\.1 http app / },
    {
      ask: "GET /client",
      with: { host: "app", forwarded: "for=unknown;proto=https" },
      status: 200,
      says: /^127\.0\.0\.1 https app /
    }
  ])
)

served(
  "who is not trusted says nothing",
  app.pipe(App.use(TrustedProxies.make({ trusted: ["10.0.0.0/8", "unix"] }))),
  asks([{ ask: "GET /client", with: forwarded, status: 200, says: /^127\.0\.0\.1 http app http:\/\/app\/client$/ }])
)

served(
  "with strict only what came through a proxy is answered",
  app.pipe(App.use(TrustedProxies.make({ trusted: ["127.0.0.1"], strict: true, exempt: ["/health"] }))),
  asks([
    { ask: "GET /client", with: forwarded, status: 200, says: /^198\.51\.100\.7 / },
    { ask: "GET /client", status: 400, says: /did not come through a proxy/ },
    { ask: "GET /client", with: { "x-forwarded-for": "garbage" }, status: 400 },
    { ask: "GET /client", with: { "x-forwarded-for": "" }, status: 400 },
    { ask: "GET /client", with: { "x-forwarded-proto": "https" }, status: 400 },
    { ask: "GET /nothing", status: 400 },
    { ask: "GET /health", status: 200 }
  ])
)

served(
  "with strict nothing is answered to who is not trusted",
  app.pipe(App.use(TrustedProxies.make({ trusted: ["10.0.0.0/8"], strict: true }))),
  asks([{ ask: "GET /client", with: forwarded, status: 400 }])
)

describe("an access log names the client, inside and outside", () => {
  for (const place of ["inside", "outside"]) {
    it.live(place, () =>
      Effect.gen(function* () {
        const lines: Array<string> = []
        const log = AccessLog.make({ format: AccessLog.format("%a"), write: (text) => lines.push(text.trim()) })
        const trusted = TrustedProxies.make({ trusted: ["127.0.0.1"] })
        const plain = App.make(routes)
        const logged =
          place === "inside" ? plain.pipe(App.use(log), App.use(trusted)) : plain.pipe(App.use(trusted), App.use(log))
        const client = yield* Testing.socketClient(logged)
        yield* (yield* client.get("/plain", { headers: forwarded })).text
        yield* until(() => lines.length > 0)
        assert.deepStrictEqual(lines, ["198.51.100.7"])
      })
    )
  }
})

served(
  "the origin of a WebSocket is compared with what the client sees",
  app.pipe(App.use(TrustedProxies.make({ trusted: ["127.0.0.1"] }))),
  (client) =>
    Effect.gen(function* () {
      const headers = { ...forwarded, origin: "https://example.com" }
      const peer = yield* client.webSocket("/socket", { headers })
      yield* peer.send("hello")
      assert.strictEqual(yield* peer.receive, "hello")
      const refused = yield* Effect.flip(
        client.webSocket("/socket", { headers: { ...headers, origin: "https://app" } })
      )
      assert.strictEqual(refused.status, 403)
    })
)

served(
  "under Effect's own handler it does the same",
  App.make({
    all: Route.mountHandler("/", App.toHandler(app.pipe(App.use(TrustedProxies.make({ trusted: ["127.0.0.1"] })))))
  }),
  asks([{ ask: "GET /client", with: forwarded, status: 200, says: /^198\.51\.100\.7 https example\.com / }])
)

const wrong: ReadonlyArray<readonly [name: string, options: TrustedProxies.Options, cure: string]> = [
  ["nobody", { trusted: [] }, "write the addresses"],
  ["a name", { trusted: ["proxy.test"] }, 'write "10.0.0.1"'],
  ["a network that is too wide for its address", { trusted: ["10.0.0.0/33"] }, 'write "10.0.0.1"']
]

describe("options that cannot be meant are refused", () => {
  for (const [name, options, cure] of wrong) {
    it(name, () => {
      assert.throws(() => TrustedProxies.make(options), TypeError, cure)
    })
  }
})
