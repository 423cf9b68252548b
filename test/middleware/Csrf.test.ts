/**
 * CSRF: who may send, and the tokens of forms.
 */
import * as Zlib from "node:zlib"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import { html } from "../../src/Html.ts"
import { SessionBinding } from "../../src/internal/session/binding.ts"
import type * as Middleware from "../../src/Middleware.ts"
import * as Multipart from "../../src/Multipart.ts"
import * as Compression from "../../src/middleware/Compression.ts"
import * as Csrf from "../../src/middleware/Csrf.ts"
import * as SecurityHeaders from "../../src/middleware/SecurityHeaders.ts"
import * as TrustedProxies from "../../src/middleware/TrustedProxies.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Sealed from "../../src/Sealed.ts"
import { served } from "../../src/testing/Served.ts"
import type * as Testing from "../../src/testing/Testing.ts"
import * as WebSocket from "../../src/WebSocket.ts"
import * as Multiparts from "../multiparts.ts"
import { asks } from "./asks.ts"

const keys = Sealed.keys("0123456789abcdef0123456789abcdef")
const Order = Schema.Struct({ item: Schema.String })

const plain = {
  get: Route.get("/", Response.text("read")),
  post: Route.post("/", Response.text("written")),
  any: Route.any("/any", Response.text("any")),
  hook: Route.post("/hooks/{id}", Response.text("hooked")),
  hooks: Route.mount("/api", App.make({ hook: Route.post("/hook", Response.text("hooked")) })),
  order: Route.post("/order", { body: Body.form(Order), success: Response.schema(Order) }, ({ body }) =>
    Effect.succeed(body)
  ),
  raw: Route.post(
    "/raw",
    Effect.map(Stream.mkString(Stream.decodeText(Body.stream())), (text) => Response.text(text))
  ),
  upload: Route.post(
    "/upload",
    Effect.gen(function* () {
      const parts = yield* Multipart.reader
      return Response.text(yield* parts.field("name"))
    })
  ),
  socket: Route.websocket(
    "/socket",
    WebSocket.raw({ origins: ["https://partner.test"] }, (socket) => Stream.runForEach(socket.messages, socket.send))
  )
}

const site = (value: string, origin?: string) => ({
  host: "example.com",
  "sec-fetch-site": value,
  ...(origin === undefined ? undefined : { origin })
})
const old = (origin: string, host = "example.com") => ({ host, origin })

const app = App.make(plain).pipe(
  App.use(
    Csrf.make({
      trustedOrigins: ["https://trusted.test", "https://*.trusted.test"],
      exempt: ["/hooks/{id}", "/api/hook"]
    })
  )
)

served(
  "what pages of other sites send is refused",
  app,
  asks([
    { ask: "POST /", with: site("same-origin", "https://example.com"), status: 200, says: /^written$/ },
    { ask: "POST /", with: site("none"), status: 200 },
    { ask: "POST /", with: site("same-site", "https://a.example.com"), status: 403 },
    { ask: "POST /", with: site("cross-site", "https://evil.test"), status: 403, says: /page of another site/ },
    { ask: "POST /", with: site("cross-site"), status: 403 },
    { ask: "POST /", with: site("cross-site", "null"), status: 403 },
    { ask: "POST /", with: site("", "https://example.com"), status: 403 },
    { ask: "POST /", with: site("Same-Origin"), status: 403 },
    { ask: "POST /", with: site("cross-site", "https://trusted.test"), status: 200 },
    { ask: "POST /", with: site("cross-site", "https://a.trusted.test"), status: 200 },
    { ask: "POST /", with: old("https://example.com"), status: 200 },
    { ask: "POST /", with: old("http://example.com"), status: 200 },
    { ask: "POST /", with: old("https://example.com", "EXAMPLE.com:443"), status: 200 },
    { ask: "POST /", with: old("http://localhost:3000", "localhost:3000"), status: 200 },
    { ask: "POST /", with: old("http://localhost:3001", "localhost:3000"), status: 403 },
    { ask: "POST /", with: old("https://evil.test"), status: 403 },
    { ask: "POST /", with: old("https://example.com.evil.test"), status: 403 },
    { ask: "POST /", with: old("null"), status: 403 },
    { ask: "POST /", with: old("https://trusted.test"), status: 200 },
    { ask: "POST /", status: 200 },
    { ask: "DELETE /any", with: site("cross-site"), status: 403 },
    { ask: "POST /nothing", with: site("cross-site"), status: 403 },
    { ask: "PUT /", with: site("cross-site"), status: 403 }
  ])
)

served(
  "what changes nothing passes, and so do exempt routes",
  app,
  asks([
    { ask: "GET /", with: site("cross-site", "https://evil.test"), status: 200 },
    { ask: "HEAD /", with: site("cross-site", "https://evil.test"), status: 200 },
    { ask: "OPTIONS /", with: site("cross-site", "https://evil.test"), status: 204 },
    { ask: "POST /hooks/7", with: site("cross-site", "https://evil.test"), status: 200 },
    { ask: "POST /api/hook", with: site("cross-site", "https://evil.test"), status: 200 },
    { ask: "POST /hooks/7/../../", with: site("cross-site", "https://evil.test"), status: 403 },
    {
      ask: "POST /order",
      with: site("cross-site"),
      sends: ["application/x-www-form-urlencoded", "item=a"],
      status: 403
    }
  ])
)

served(
  "an exempt predicate, and https that a proxy ends",
  App.make(plain).pipe(
    App.use(Csrf.make({ exempt: ({ headers }) => headers["x-hook"] === "1" })),
    App.use(TrustedProxies.make({ trusted: ["127.0.0.1"] }))
  ),
  asks([
    { ask: "POST /", with: { ...site("cross-site"), "x-hook": "1" }, status: 200 },
    {
      ask: "POST /",
      with: {
        ...old("https://example.com", "app"),
        "x-forwarded-for": "1.1.1.1",
        "x-forwarded-host": "example.com",
        "x-forwarded-proto": "https"
      },
      status: 200
    },
    {
      ask: "POST /",
      with: {
        ...old("http://example.com", "app"),
        "x-forwarded-for": "1.1.1.1",
        "x-forwarded-host": "example.com",
        "x-forwarded-proto": "https"
      },
      status: 403
    }
  ])
)

served("a WebSocket's own origins decide over its handshake", app, (client) =>
  Effect.gen(function* () {
    const headers = { "sec-fetch-site": "cross-site" }
    const peer = yield* client.webSocket("/socket", { headers, origin: "https://partner.test" })
    yield* peer.send("hello")
    assert.strictEqual(yield* peer.receive, "hello")
    const refused = yield* Effect.flip(client.webSocket("/socket", { headers, origin: "https://evil.test" }))
    assert.strictEqual(refused.status, 403)
  })
)

// A session, as far as tokens look at it.
const bound: Middleware.Middleware = (handler) =>
  Effect.flatMap(Request.header("x-session"), (id = "") =>
    Effect.provideService(handler, SessionBinding, Effect.succeed(id))
  )

const page = Effect.gen(function* () {
  const token = yield* Csrf.token
  return Response.html(html`<form method="post">${yield* Csrf.field}</form><p>${token}</p>${"x".repeat(2000)}`).pipe(
    Response.etag("1")
  )
})

const routes = {
  ...plain,
  page: Route.get("/page", page),
  kept: Route.get("/kept", Effect.map(page, Response.setHeader("cache-control", "private")))
}
const guarded = App.make(routes).pipe(App.use(Csrf.make({ tokens: { keys } })), App.use(bound))

const load = Effect.fnUntraced(function* (client: Testing.Client, headers: Readonly<Record<string, string>> = {}) {
  const response = yield* client.get("/page", { headers })
  const bytes = Buffer.from(yield* response.arrayBuffer)
  const text = String(response.headers["content-encoding"] === "gzip" ? Zlib.gunzipSync(bytes) : bytes)
  const [, inField] = /<input type="hidden" name="csrf_token" value="([\w-]{43})">/.exec(text)!
  const [, plain] = /<p>([\w-]{43})<\/p>/.exec(text)!
  return { response, inField: inField!, plain: plain! }
})

const post = Effect.fnUntraced(function* (
  client: Testing.Client,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: readonly [type: string, text: string]
) {
  const request = HttpClientRequest.post(path, { headers })
  const response = yield* client.execute(
    body === undefined ? request : HttpClientRequest.bodyText(request, body[1], body[0])
  )
  return [response.status, yield* response.text] as const
})

const form = "application/x-www-form-urlencoded"

served("a token of the page lets its forms and scripts send", guarded, (client) =>
  Effect.gen(function* () {
    const { inField, plain, response } = yield* load(client)
    assert.notStrictEqual(inField, plain)
    assert.deepStrictEqual([response.headers["cache-control"], response.headers.etag], ["no-store", undefined])
    const [cookie] = yield* Ref.get(client.cookies)
    assert.deepInclude(cookie?.options, { httpOnly: true, sameSite: "lax", path: "/" })
    assert.deepStrictEqual(yield* post(client, "/", { "x-csrf-token": plain }), [200, "written"])
    assert.deepStrictEqual(yield* post(client, "/order", {}, [form, `item=tea&csrf_token=${inField}`]), [
      200,
      '{"item":"tea"}'
    ])
    assert.deepStrictEqual(yield* post(client, "/raw", {}, [form, `a=b&csrf_token=${inField}`]), [
      200,
      `a=b&csrf_token=${inField}`
    ])
    const parts = Multiparts.body([Multiparts.field("name", "tea")])
    assert.deepStrictEqual(yield* post(client, `/upload?csrf_token=${inField}`, {}, [Multiparts.type, parts]), [
      200,
      "tea"
    ])
    assert.deepStrictEqual(yield* post(client, "/upload", { "x-csrf-token": inField }, [Multiparts.type, parts]), [
      200,
      "tea"
    ])
    const again = yield* load(client)
    assert.isUndefined(again.response.headers["set-cookie"])
    assert.deepStrictEqual(yield* post(client, "/", { "x-csrf-token": again.plain }), [200, "written"])
    assert.deepStrictEqual(yield* post(client, "/", { "x-csrf-token": plain }), [200, "written"])
  })
)

served("without a token only a browser that names its origin may send", guarded, (client) =>
  Effect.gen(function* () {
    const missing = yield* post(client, "/", {})
    assert.strictEqual(missing[0], 403)
    assert.match(missing[1], /load the page again/)
    const { inField } = yield* load(client)
    assert.strictEqual((yield* post(client, "/order", {}, [form, "item=tea"]))[0], 403)
    assert.strictEqual(
      (yield* post(client, "/order", {}, [form, `item=a&csrf_token=${inField}&csrf_token=${inField}`]))[0],
      403
    )
    assert.strictEqual((yield* post(client, `/order?csrf_token=${inField}`, {}, [form, "item=tea"]))[0], 403)
    assert.strictEqual((yield* post(client, "/order", {}, [form, "x".repeat(2 ** 20 + 1)]))[0], 413)
    assert.strictEqual((yield* post(client, "/order", {}, [`${form}; charset=x-none`, "item=a"]))[0], 415)
    assert.deepStrictEqual(yield* post(client, "/", site("same-origin")), [200, "written"])
    assert.strictEqual((yield* post(client, "/", { ...site("cross-site"), "x-csrf-token": inField }))[0], 403)
  })
)

served("who has no token hears where it is looked for", guarded, (client) =>
  Effect.gen(function* () {
    const { inField } = yield* load(client)
    const says = (type: string, body: string) =>
      Effect.map(post(client, "/order", {}, [type, body]), ([, text]) => text)
    const parts = Multiparts.body([Multiparts.field("csrf_token", inField)])
    const inHeader = String.raw`the header \"x-csrf-token\"`
    assert.include(yield* says(form, "a=b"), String.raw`the field \"csrf_token\" of its form, or ${inHeader}`)
    assert.include(
      yield* says(Multiparts.type, parts),
      String.raw`The request has no token: ${inHeader}, or \"?csrf_token=\" in its URL; parts of a body are not looked at`
    )
    assert.include(yield* says("application/json", "{}"), `The request has no token: ${inHeader}"`)
  })
)

served("a token ends with the session's id", guarded, (client) =>
  Effect.gen(function* () {
    const { plain } = yield* load(client, { "x-session": "anonymous" })
    assert.strictEqual((yield* post(client, "/", { "x-csrf-token": plain, "x-session": "anonymous" }))[0], 200)
    assert.strictEqual((yield* post(client, "/", { "x-csrf-token": plain, "x-session": "ada" }))[0], 403)
    const next = yield* load(client, { "x-session": "ada" })
    assert.strictEqual((yield* post(client, "/", { "x-csrf-token": next.plain, "x-session": "ada" }))[0], 200)
    assert.strictEqual((yield* post(client, "/", { "x-csrf-token": plain, "x-session": "ada" }))[0], 403)
  })
)

served(
  "over https the cookie is for this host alone",
  guarded.pipe(App.use(TrustedProxies.make({ trusted: ["127.0.0.1"] }))),
  (client) =>
    Effect.gen(function* () {
      const { response } = yield* load(client, { "x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https" })
      const remote = yield* load(client, { host: "shop.example" })
      assert.match(remote.response.headers["set-cookie"]!, /^__Host-csrf=.*; Secure;/)
      assert.match(response.headers["set-cookie"]!, /^__Host-csrf=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    })
)

served(
  "a token may always be asked for, under names of one's own",
  App.make(routes).pipe(
    App.use(
      Csrf.make({
        trustedOrigins: ["https://trusted.test"],
        tokens: { keys, always: true, cookie: "c", field: "csrf_token", header: "X-T" }
      })
    ),
    App.use(Compression.make()),
    App.use(SecurityHeaders.make())
  ),
  (client) =>
    Effect.gen(function* () {
      const { plain, response } = yield* load(client, { "accept-encoding": "gzip" })
      assert.match(response.headers["set-cookie"]!, /^c=/)
      assert.strictEqual((yield* post(client, "/", site("same-origin")))[0], 403)
      assert.strictEqual((yield* post(client, "/", { "sec-fetch-site": "same-origin", "x-t": plain }))[0], 200)
      assert.strictEqual((yield* post(client, "/", site("cross-site", "https://trusted.test")))[0], 200)
    })
)

served(
  "a page's own Cache-Control stays",
  guarded,
  asks([{ ask: "GET /kept", status: 200, has: { "cache-control": "private", etag: undefined } }])
)

it("the failures are in their errors", () => {
  assert.deepStrictEqual(Csrf.make().errors, [Csrf.CrossOrigin])
  assert.deepStrictEqual(
    Csrf.make({ tokens: { keys } }).errors?.map(({ status }) => status),
    [403, 403, 400, 413, 415]
  )
})

it("a handler that needs tokens is not served without them", () => {
  const handler = App.toHandler(App.make({ page: Route.get("/", page) }).pipe(App.use(Csrf.make())))
  expectTypeOf<Csrf.Token>().toExtend<Effect.Services<typeof handler>>()
  const guarded = App.toHandler(App.make({ page: Route.get("/", page) }).pipe(App.use(Csrf.make({ tokens: { keys } }))))
  expectTypeOf<Csrf.Token>().not.toExtend<Effect.Services<typeof guarded>>()
})

const wrong: ReadonlyArray<readonly [name: string, make: () => unknown, cure: string]> = [
  ["a host for an origin", () => Csrf.make({ trustedOrigins: ["trusted.test"] }), "write scheme and host"],
  ["a path that no route has", () => Csrf.make({ exempt: ["hooks/*"] }), "as it is declared"],
  ["two words for a cookie", () => Csrf.make({ tokens: { keys, cookie: "a b" } }), "write one word"],
  ["a short secret", () => Csrf.make({ tokens: { keys: Sealed.keys("short") } }), "at least 32"]
]

describe("options that cannot be meant are refused", () => {
  for (const [name, make, cure] of wrong) {
    it(name, () => {
      assert.throws(make, TypeError, cure)
    })
  }
})
