/**
 * Security headers: the defaults, what options make of them, nonces, and what stands in their way.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as ErrorResponse from "../../src/ErrorResponse.ts"
import { html } from "../../src/Html.ts"
import * as StaticFiles from "../../src/handlers/StaticFiles.ts"
import * as Compression from "../../src/middleware/Compression.ts"
import * as SecurityHeaders from "../../src/middleware/SecurityHeaders.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Sse from "../../src/Sse.ts"
import { served } from "../../src/testing/Served.ts"
import * as WebSocket from "../../src/WebSocket.ts"
import * as Folder from "../folder.ts"
import { asks } from "./asks.ts"

const folder = Folder.make({ "file.txt": "file" })
const csp = "content-security-policy"
const base =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src 'self' data:; object-src 'none'"

const defaults = {
  [csp]: `${base}; script-src 'self'; style-src 'self'`,
  "strict-transport-security": undefined,
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-embedder-policy": undefined,
  "origin-agent-cluster": "?1",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
}

const page = Effect.map(SecurityHeaders.nonce, (nonce) =>
  Response.html(html`<script nonce="${nonce}">1</script>`).pipe(Response.etag("v1"), Response.lastModified(new Date(0)))
)

const routes = {
  text: Route.get("/", Response.text("hello")),
  page: Route.get("/page", page),
  kept: Route.get("/kept", Effect.map(page, Response.setHeader("cache-control", "private"))),
  own: Route.get("/own", Response.text("own", { headers: { "x-frame-options": "SAMEORIGIN", [csp]: "sandbox" } })),
  etag: Route.get("/etag", Response.text("etag").pipe(Response.etag("1"))),
  broken: Route.get("/broken", Effect.die(new Error("broken"))),
  events: Route.get("/events", Sse.response(Stream.make("a"))),
  files: Route.mountHandler("/files", StaticFiles.make({ root: folder.path, listing: true })),
  framed: Route.get("/framed", page).pipe(
    Route.use(SecurityHeaders.make({ contentSecurityPolicy: { "frame-ancestors": "https://partner.test" } }))
  ),
  bare: Route.get("/bare", Response.text("bare")).pipe(
    Route.use(
      SecurityHeaders.make({
        contentSecurityPolicy: false,
        strictTransportSecurity: false,
        frameOptions: false,
        contentTypeOptions: false,
        referrerPolicy: false,
        crossOriginOpenerPolicy: false,
        crossOriginResourcePolicy: false,
        originAgentCluster: false,
        permissionsPolicy: false
      })
    )
  ),
  echo: Route.websocket(
    "/echo",
    WebSocket.raw({}, (socket) => Stream.runForEach(socket.messages, socket.send))
  )
}

const app = App.make(routes, { errorResponse: ErrorResponse.development() }).pipe(
  App.use(Compression.make()),
  App.use(SecurityHeaders.make())
)

served(
  "every answer has the headers",
  app,
  asks([
    { ask: "GET /", status: 200, has: defaults },
    { ask: "HEAD /", status: 200, has: defaults },
    { ask: "OPTIONS /", status: 204, has: defaults },
    { ask: "GET /nothing", status: 404, has: defaults },
    { ask: "POST /", status: 405, has: defaults },
    { ask: "GET /%ff", status: 400, has: defaults },
    { ask: "GET /broken", status: 500, has: defaults },
    { ask: "GET /etag", with: { "if-none-match": '"1"' }, status: 304, has: defaults },
    { ask: "GET /etag", with: { "if-match": '"2"' }, status: 412, has: defaults },
    {
      ask: "GET /files/file.txt",
      status: 200,
      has: { ...defaults, "content-type": "text/plain; charset=utf-8" },
      says: /^file$/
    },
    { ask: "GET /files/file.txt", with: { range: "bytes=0-1" }, status: 206, has: defaults, says: /^fi$/ },
    { ask: "GET /files/", status: 200, has: defaults },
    { ask: "GET /files/no", status: 404, has: defaults },
    { ask: "GET /events", status: 200, has: defaults },
    { ask: "GET /echo", status: 426, has: { ...defaults, upgrade: "websocket" } },
    { ask: "GET /own", status: 200, has: { ...defaults, "x-frame-options": "SAMEORIGIN", [csp]: "sandbox" } },
    { ask: "GET /bare", status: 200, has: Object.fromEntries(Object.keys(defaults).map((name) => [name, undefined])) }
  ])
)

const nonces = (text: string) => [...text.matchAll(/nonce[=-]"?([A-Za-z0-9+/]{22}==)/g)].map((match) => match[1])

served("a nonce is the same in page and policy, and another for every request", app, (client) =>
  Effect.gen(function* () {
    const seen = new Set<string | undefined>()
    for (const path of ["/page", "/page", "/kept", "/framed"]) {
      const { headers, text } = yield* client.get(path, { headers: { accept: "text/html" } })
      const [inPage] = nonces(yield* text)
      assert.isDefined(inPage)
      assert.deepStrictEqual(nonces(headers[csp]!), [inPage, inPage])
      assert.deepStrictEqual([headers.etag, headers["last-modified"]], [undefined, undefined])
      assert.strictEqual(headers["cache-control"], path === "/kept" ? "private" : "no-store")
      seen.add(inPage)
    }
    assert.strictEqual(seen.size, 4)
  })
)

served(
  "a page with a nonce is never 304",
  app,
  asks([{ ask: "GET /page", with: { "if-none-match": "*" }, status: 200 }])
)

served("the page of a failure in development has the nonce for its style", app, (client) =>
  Effect.gen(function* () {
    const { headers, text } = yield* client.get("/broken", { headers: { accept: "text/html" } })
    const [inPage] = nonces(yield* text)
    assert.deepStrictEqual(nonces(headers[csp]!), [inPage, inPage])
  })
)

served(
  "a route's own headers stand in place of the app's",
  app,
  asks([{ ask: "GET /framed", status: 200, has: { "x-frame-options": undefined, "referrer-policy": "same-origin" } }])
)

served("the handshake of a WebSocket is not touched", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/echo")
    yield* peer.send("hello")
    assert.strictEqual(yield* peer.receive, "hello")
    assert.isUndefined(peer.headers[csp])
  })
)

served(
  "a nonce without the middleware is one",
  App.make({ page: Route.get("/", page) }),
  asks([{ ask: "GET /", status: 200, has: { [csp]: undefined, etag: '"v1"' }, says: /nonce="[^"]{24}"/ }])
)

const sent = (options: SecurityHeaders.Options) =>
  App.make({ text: Route.get("/", page) }).pipe(App.use(SecurityHeaders.make(options)))

served(
  "options change the fields",
  sent({
    contentSecurityPolicy: {
      "script-src": ["'self'", "https://cdn.test"],
      "style-src": "'self' 'unsafe-inline'",
      "img-src": false,
      "default-src": [],
      "upgrade-insecure-requests": true
    },
    reportOnly: true,
    frameOptions: "SAMEORIGIN",
    crossOriginEmbedderPolicy: "require-corp",
    permissionsPolicy: { camera: ["self", "https://call.test"], usb: false, payment: "*", microphone: "self" }
  }),
  asks([
    {
      ask: "GET /",
      status: 200,
      has: {
        [csp]: undefined,
        "content-security-policy-report-only":
          "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; script-src 'self' https://cdn.test; style-src 'self' 'unsafe-inline'; upgrade-insecure-requests",
        "x-frame-options": "SAMEORIGIN",
        "cross-origin-embedder-policy": "require-corp",
        "permissions-policy": 'camera=(self "https://call.test"), geolocation=(), microphone=(self), payment=*',
        etag: '"v1"'
      }
    }
  ])
)

const wrong: ReadonlyArray<readonly [name: string, options: SecurityHeaders.Options, cure: string]> = [
  ["a keyword without quotes", { contentSecurityPolicy: { "script-src": ["self"] } }, `write "'self'"`],
  ["a hash without quotes", { contentSecurityPolicy: { "script-src": "sha256-abc=" } }, "would be a host"],
  ["a directive in camel case", { contentSecurityPolicy: { scriptSrc: "'self'" } }, 'write "script-src"'],
  ["a second directive in a source", { contentSecurityPolicy: { "img-src": ["a;script-src"] } }, "no source"],
  ["a comma in a source", { contentSecurityPolicy: { "img-src": ["a,b"] } }, "no source"],
  ["a line break in a source", { contentSecurityPolicy: { "img-src": ["a\r\nb"] } }, "no source"],
  ["an endless maxAge", { strictTransportSecurity: { maxAge: "Infinity" } }, "finite duration"],
  ["preload for a day", { strictTransportSecurity: { maxAge: "1 day", preload: true } }, "365 days"],
  ["a feature in camel case", { permissionsPolicy: { pictureInPicture: [] } }, "lower case"],
  ["a host for a permission", { permissionsPolicy: { camera: ["call.test"] } }, '"self", or an origin'],
  ["a line break in a value", { referrerPolicy: "origin\r\nx: y" as "origin" }, "no header can carry"]
]

describe("options that browsers would not understand are refused", () => {
  for (const [name, options, cure] of wrong) {
    it(name, () => {
      assert.throws(() => SecurityHeaders.make(options), TypeError, cure)
    })
  }
})
