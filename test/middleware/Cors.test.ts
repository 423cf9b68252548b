/**
 * CORS: preflights, what answers say, and how the policies of apps, mounts and routes stand to each other.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as StaticFiles from "../../src/handlers/StaticFiles.ts"
import * as Middleware from "../../src/Middleware.ts"
import * as Compression from "../../src/middleware/Compression.ts"
import * as Cors from "../../src/middleware/Cors.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Sse from "../../src/Sse.ts"
import { served } from "../../src/testing/Served.ts"
import * as WebSocket from "../../src/WebSocket.ts"
import * as Folder from "../folder.ts"
import { both } from "../server/both.ts"
import { asks } from "./asks.ts"

const ours = "https://example.com"
const foreign = "https://evil.test"
const folder = Folder.make({ "file.txt": "file" })

const from = (origin: string, more: Readonly<Record<string, string>> = {}) => ({ origin, ...more })
const preflight = (origin: string, method: string, headers?: string) => ({
  origin,
  "access-control-request-method": method,
  ...(headers === undefined ? undefined : { "access-control-request-headers": headers })
})
const origin = "access-control-allow-origin"
const credentials = "access-control-allow-credentials"
const vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

const login = Middleware.before(
  Effect.gen(function* () {
    return yield* new HttpError.Unauthorized({ challenges: ["Bearer"] })
  }),
  { errors: [HttpError.Unauthorized] }
)

const routes = {
  text: Route.get("/", Response.text("hello")),
  item: Route.view("/items/{id}", { get: Response.text("item"), delete: Response.empty() }),
  secret: Route.put("/secret", Response.text("secret")).pipe(Route.use(login)),
  described: Route.post(
    "/numbers",
    { body: Body.json(Schema.Number), success: Response.schema(Schema.Number) },
    ({ body }) => Effect.succeed(body)
  ),
  broken: Route.get("/broken", Effect.die("broken")),
  etag: Route.get("/etag", Response.text("etag").pipe(Response.etag("1"))),
  own: Route.options("/own", Response.text("my own")),
  any: Route.any("/any", Response.text("any")),
  events: Route.get("/events", Sse.response(Stream.make("a"))),
  files: Route.mountHandler("/files", StaticFiles.make({ root: folder.path })),
  foreign: Route.mountHandler(
    "/effect",
    Effect.succeed(HttpServerResponse.text("effect", { headers: { [origin]: "*", [credentials]: "true" } }))
  )
}

const app = App.make(routes, { bodyLimit: "1 kB" }).pipe(
  App.use(
    Cors.make({
      origins: [ours, "https://*.example.com", "null"],
      credentials: true,
      expose: ["X-Total"],
      maxAge: "10 minutes"
    })
  )
)

served(
  "a preflight is answered for routes and methods that there are",
  app,
  asks([
    {
      ask: "OPTIONS /items/1",
      with: preflight(ours, "DELETE", "content-type,authorization"),
      status: 204,
      has: {
        [origin]: ours,
        [credentials]: "true",
        "access-control-allow-methods": "DELETE",
        "access-control-allow-headers": "Authorization, Content-Type",
        "access-control-max-age": "600",
        "access-control-allow-private-network": undefined,
        "access-control-expose-headers": undefined,
        vary,
        allow: undefined
      }
    },
    {
      ask: "OPTIONS /",
      with: preflight("https://a.example.com", "HEAD"),
      status: 204,
      has: { [origin]: "https://a.example.com" }
    },
    { ask: "OPTIONS /", with: preflight("null", "GET"), status: 204, has: { [origin]: "null" } },
    { ask: "OPTIONS /files/file.txt", with: preflight(ours, "GET"), status: 204, has: { [origin]: ours } },
    { ask: "OPTIONS /any", with: preflight(ours, "PATCH"), status: 204, has: { [origin]: ours } },
    { ask: "OPTIONS /effect/x", with: preflight(ours, "POST"), status: 204, has: { [origin]: ours } },
    { ask: "OPTIONS /secret", with: preflight(ours, "PUT"), status: 204, has: { [origin]: ours } },
    // Every path takes OPTIONS, by itself where no route does
    {
      ask: "OPTIONS /items/1",
      with: preflight(ours, "OPTIONS"),
      status: 204,
      has: { [origin]: ours, "access-control-allow-methods": "OPTIONS" }
    },
    { ask: "OPTIONS /items/1", with: preflight(foreign, "OPTIONS"), status: 403, has: { [origin]: undefined } },
    { ask: "OPTIONS /nothing", with: preflight(ours, "GET"), status: 404, has: { [origin]: ours } },
    {
      ask: "OPTIONS /items/1",
      with: preflight(ours, "PUT"),
      status: 405,
      has: { [origin]: undefined, allow: "DELETE, GET, HEAD, OPTIONS", vary: `${vary}, Accept` }
    },
    { ask: "OPTIONS /own", with: preflight(ours, "GET"), status: 405, has: { allow: "OPTIONS" } },
    {
      ask: "OPTIONS /items/1",
      with: preflight(foreign, "DELETE"),
      status: 403,
      has: { [origin]: undefined, [credentials]: undefined, vary: `${vary}, Accept` },
      says: /Pages of this origin may not read answers here/
    },
    { ask: "OPTIONS /", with: preflight(ours, "get"), status: 405 },
    { ask: "OPTIONS /", with: preflight(ours, ""), status: 204, has: { allow: "GET, HEAD, OPTIONS" } },
    {
      ask: "OPTIONS /",
      with: preflight(ours, "GET", "x-other"),
      status: 403,
      says: /may not send the header .{1,2}x-other/
    },
    { ask: "OPTIONS /", with: preflight(ours, "GET", "x y"), status: 403 },
    { ask: "OPTIONS /", with: preflight(ours, "GET", ""), status: 204 },
    { ask: "OPTIONS /", with: preflight(ours, "GET", "RANGE, Accept-Language"), status: 204 }
  ])
)

served(
  "OPTIONS that is no preflight is the route's own",
  app,
  asks([
    {
      ask: "OPTIONS /items/1",
      with: from(ours),
      status: 204,
      has: { allow: "DELETE, GET, HEAD, OPTIONS", [origin]: ours }
    },
    {
      ask: "OPTIONS /items/1",
      with: { "access-control-request-method": "GET" },
      status: 204,
      has: { [origin]: undefined }
    },
    { ask: "OPTIONS /own", status: 200, says: /my own/ },
    { ask: "OPTIONS /nothing", status: 404 }
  ])
)

const allowed = { [origin]: ours, [credentials]: "true", "access-control-expose-headers": "X-Total" }
const refused = { [origin]: undefined, [credentials]: undefined, "access-control-expose-headers": undefined }

served(
  "answers say who may read them, error answers too",
  app,
  asks([
    { ask: "GET /", with: from(ours), status: 200, has: { ...allowed, vary: "Origin" }, says: /hello/ },
    { ask: "HEAD /", with: from(ours), status: 200, has: { ...allowed, vary: "Origin" } },
    { ask: "GET /", with: from(foreign), status: 200, has: { ...refused, vary: "Origin" } },
    { ask: "GET /", status: 200, has: { ...refused, vary: "Origin" } },
    { ask: "GET /nothing", with: from(ours), status: 404, has: { ...allowed, vary: "Accept, Origin" } },
    { ask: "DELETE /", with: from(ours), status: 405, has: allowed },
    { ask: "GET /broken", with: from(ours), status: 500, has: allowed },
    { ask: "PUT /secret", with: from(ours), status: 401, has: allowed },
    { ask: "POST /numbers", with: from(ours), sends: ["application/json", "x"], status: 400, has: allowed },
    {
      ask: "POST /numbers",
      with: from(ours),
      sends: ["application/json", " ".repeat(2000)],
      status: 413,
      has: allowed
    },
    { ask: "GET /%ff", with: from(ours), status: 400, has: allowed },
    {
      ask: "GET /etag",
      with: from(ours, { "if-none-match": '"1"' }),
      status: 304,
      has: { ...allowed, vary: "Origin" }
    },
    {
      ask: "GET /etag",
      with: from(ours, { "if-match": '"2"' }),
      status: 412,
      has: { ...allowed, vary: "Origin, Accept" }
    },
    { ask: "GET /files/file.txt", with: from(ours), status: 200, has: allowed },
    { ask: "GET /files/no", with: from(ours), status: 404, has: allowed },
    { ask: "GET /events", with: from(ours), status: 200, has: allowed },
    { ask: "GET /effect", with: from(foreign), status: 200, has: refused },
    { ask: "GET /effect", with: from(ours), status: 200, has: allowed }
  ])
)

served(
  "everyone may read where the origins are *",
  App.make(routes).pipe(App.use(Cors.make({ origins: "*", headers: "*", expose: "*", privateNetwork: true }))),
  asks([
    {
      ask: "GET /",
      with: from(foreign),
      status: 200,
      has: { [origin]: "*", vary: undefined, "access-control-expose-headers": "*" }
    },
    { ask: "GET /", status: 200, has: { [origin]: "*", [credentials]: undefined, vary: undefined } },
    { ask: "GET /effect", status: 200, has: { [origin]: "*", [credentials]: undefined } },
    {
      ask: "OPTIONS /",
      with: { ...preflight("null", "GET", "x-a,x-b"), "access-control-request-private-network": "true" },
      status: 204,
      has: {
        [origin]: "*",
        "access-control-allow-headers": "x-a,x-b",
        "access-control-allow-private-network": "true",
        vary: "Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network"
      }
    },
    {
      ask: "OPTIONS /",
      with: preflight(foreign, "GET"),
      status: 204,
      has: { "access-control-allow-private-network": undefined }
    }
  ])
)

served(
  "origins by a predicate, and a list of methods",
  App.make(routes).pipe(
    App.use(Cors.make({ origins: (text) => !text.includes("evil"), methods: ["GET"], headers: [] }))
  ),
  asks([
    { ask: "GET /", with: from("https://friend.test"), status: 200, has: { [origin]: "https://friend.test" } },
    { ask: "GET /", with: from(foreign), status: 200, has: { [origin]: undefined } },
    { ask: "GET /", with: from("null"), status: 200, has: { [origin]: undefined } },
    {
      ask: "OPTIONS /items/1",
      with: preflight(ours, "GET"),
      status: 204,
      has: { "access-control-allow-headers": undefined }
    },
    { ask: "OPTIONS /items/1", with: preflight(ours, "DELETE"), status: 403, says: /may not use DELETE/ }
  ])
)

const open = Cors.make({ origins: "*" })
const nested = App.make({
  font: Route.get("/font", Response.text("font")).pipe(Route.use(login), Route.use(open)),
  plain: Route.get("/plain", Response.text("plain")),
  mixed: Route.get("/mixed", Response.text("get")).pipe(Route.use(open)),
  mixedPut: Route.put("/mixed", Response.text("put")),
  partner: Route.mount(
    "/partner",
    App.make({
      data: Route.put("/data", Response.text("data")),
      all: Route.any("/all", Response.text("all")).pipe(Route.use(open))
    }).pipe(App.use(Cors.make({ origins: ["https://partner.test"] })))
  )
})

const partner = "https://partner.test"
const nestedRows = (outer: string | undefined) =>
  asks([
    {
      ask: "OPTIONS /font",
      with: preflight(foreign, "GET"),
      status: 204,
      has: { [origin]: "*", [credentials]: undefined }
    },
    { ask: "GET /font", with: from(foreign), status: 401, has: { [origin]: "*" } },
    { ask: "GET /mixed", with: from(foreign), status: 200, has: { [origin]: "*", [credentials]: undefined } },
    { ask: "OPTIONS /mixed", with: preflight(foreign, "GET"), status: 204, has: { [origin]: "*" } },
    {
      ask: "OPTIONS /mixed",
      with: preflight(foreign, "PUT"),
      status: outer === undefined ? 204 : 403,
      has: { [origin]: undefined }
    },
    { ask: "GET /plain", with: from(ours), status: 200, has: { [origin]: outer } },
    {
      ask: "OPTIONS /partner/data",
      with: preflight(partner, "PUT"),
      status: 204,
      has: { [origin]: partner, [credentials]: undefined }
    },
    { ask: "OPTIONS /partner/data", with: preflight(ours, "PUT"), status: 403, has: { [origin]: undefined } },
    {
      ask: "PUT /partner/data",
      with: from(partner),
      status: 200,
      has: { [origin]: partner, [credentials]: undefined }
    },
    { ask: "PUT /partner/data", with: from(ours), status: 200, has: { [origin]: undefined } },
    { ask: "PUT /partner/nothing", with: from(partner), status: 404, has: { [origin]: partner } },
    { ask: "OPTIONS /partner/all", with: preflight(foreign, "PUT"), status: 204, has: { [origin]: "*" } }
  ])

served("a route's own policy and that of a mount stand alone", nested, nestedRows(undefined))
served(
  "a route's own policy and that of a mount beat the app's",
  nested.pipe(App.use(Cors.make({ origins: [ours], credentials: true }))),
  nestedRows(ours)
)

served(
  "with compression an answer varies by both",
  App.make({ text: Route.get("/", Response.text("a".repeat(5000))) }).pipe(
    App.use(Compression.make()),
    App.use(Cors.make({ origins: [ours] }))
  ),
  (client) =>
    Effect.gen(function* () {
      const { headers } = yield* client.get("/", { headers: from(ours, { "accept-encoding": "gzip" }) })
      assert.strictEqual(headers["content-encoding"], "gzip")
      assert.sameMembers(headers.vary!.split(", "), ["Origin", "Accept-Encoding"])
    })
)

served(
  "the handshake of a WebSocket is not touched",
  App.make({
    echo: Route.websocket(
      "/",
      WebSocket.raw({ origins: [ours] }, (socket) => Stream.runForEach(socket.messages, socket.send))
    )
  }).pipe(App.use(Cors.make({ origins: [ours] }))),
  (client) =>
    Effect.gen(function* () {
      const peer = yield* client.webSocket("/", { headers: { origin: ours } })
      yield* peer.send("hello")
      assert.strictEqual(yield* peer.receive, "hello")
    })
)

both("heads that are refused before there is a route are answered with the fields too", app, ({ wire }) =>
  Effect.gen(function* () {
    yield* wire.send("GET * HTTP/1.1\r\nHost: a\r\nOrigin: https://example.com\r\n\r\n")
    const { headers, status } = yield* wire.answer()
    assert.deepStrictEqual([status, headers[origin]], [400, ours])
  })
)

const wrong: ReadonlyArray<readonly [name: string, options: Cors.Options, cure: string]> = [
  ["everyone with credentials", { origins: "*", credentials: true }, "list the origins"],
  ["* in a list", { origins: ["*"] }, "write scheme and host"],
  ["a URL for an origin", { origins: ["https://example.com/app"] }, "without a path"],
  ["expose * with credentials", { origins: [ours], credentials: true, expose: "*" }, "list the names"],
  ["a bad header", { origins: [ours], headers: ["x y"] }, '"x y" is neither'],
  ["* among the headers", { origins: [ours], headers: ["*"] }, 'headers: "*"'],
  ["a method in lower case", { origins: [ours], methods: ["get"] }, 'write "GET"'],
  ["an endless maxAge", { origins: [ours], maxAge: "Infinity" }, "finite duration"]
]

describe("options that cannot be meant are refused", () => {
  for (const [name, options, cure] of wrong) {
    it(name, () => {
      assert.throws(() => Cors.make(options), TypeError, cure)
    })
  }
})
