/**
 * Secrets, put wherever they may go, and searched for in everything that a server tells: logs, spans, error pages, access logs.
 */
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as ErrorResponse from "../../src/ErrorResponse.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as Oidc from "../../src/handlers/Oidc.ts"
import type * as Middleware from "../../src/Middleware.ts"
import * as AccessLog from "../../src/middleware/AccessLog.ts"
import * as Auth from "../../src/middleware/Auth.ts"
import * as Csrf from "../../src/middleware/Csrf.ts"
import * as Idempotency from "../../src/middleware/Idempotency.ts"
import * as Jwt from "../../src/middleware/Jwt.ts"
import * as RequestId from "../../src/middleware/RequestId.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Sealed from "../../src/Sealed.ts"
import * as Session from "../../src/Session.ts"
import * as SignedUrl from "../../src/SignedUrl.ts"
import * as Password from "../../src/server/Password.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as Wire from "../conformance/wire.ts"
import * as FaultyProvider from "../handlers/faultyProvider.ts"
import { until } from "../server/both.ts"

// What no output may have in it. The mark is in none of the names of anything.
const mark = "xyzzy"
const secret = (name: string): string => `${mark}-${name}-0123456789abcdef0123456789abcdef`
const own = {
  keys: secret("ring"),
  jwt: secret("jwt"),
  client: secret("client")
}

const keys = Sealed.keys(Redacted.make(own.keys))
const jwtKeys = Jwt.secret(Redacted.make(own.jwt))
const sealed = Sealed.make({ schema: Schema.Struct({ note: Schema.String }), keys, purpose: "note", maxAge: "1 hour" })
const links = SignedUrl.make({ keys })

class Visit extends Session.Service<Visit>()("Visit", {
  fields: { note: Schema.String, hidden: Schema.Redacted(Schema.String) },
  empty: { note: "", hidden: Redacted.make("") },
  identity: Schema.String,
  flash: { notice: Schema.String }
}) {}
class User extends Context.Service<User, string>()("User") {}

class Refused extends HttpError.define<Refused>()("Refused", { status: 502 }) {}

const Login = Schema.Struct({
  name: Schema.String,
  password: Schema.Redacted(Schema.String.check(Schema.isMaxLength(60)))
})

const fail = (what: unknown) =>
  Effect.die(new Error(`It failed with ${String(what)} ${JSON.stringify(what)}`, { cause: what }))

// A careless handler: it logs what it is given, and dies of it.
const careless = (what: unknown) =>
  Effect.gen(function* () {
    yield* Effect.logInfo("careless", what)
    yield* Effect.logDebug(inspect(what, { depth: null }), { what })
    yield* Effect.annotateCurrentSpan("what", String(what))
    return yield* fail(what)
  }).pipe(Effect.withSpan("careless", { attributes: { what } }))

const login = Effect.gen(function* () {
  const { name, password } = yield* Body.form(Login)
  const visit = yield* Visit
  const hash = yield* Password.hash(password)
  if (!(yield* Password.verify(password, hash))) return yield* fail(password)
  yield* visit.rotate(name)
  yield* visit.set({ note: secret("note"), hidden: password })
  yield* visit.flash({ notice: secret("notice") })
  yield* Effect.logInfo("logged in", visit, password)
  return Response.text("in")
})

const routes = (oidc: App.Any) => ({
  login: Route.post("/login", login),
  json: Route.post(
    "/json",
    Effect.flatMap(Body.json(Login), ({ password }) => careless(password))
  ),
  session: Route.get(
    "/session",
    Effect.flatMap(Visit, (visit) => Effect.flatMap(visit.get, ({ hidden }) => careless({ visit, hidden })))
  ),
  token: Route.get(
    "/token",
    Effect.map(Csrf.token, (token) => Response.text(token))
  ),
  form: Route.post("/form", Response.text("sent")),
  bearer: Route.get("/bearer", careless("user")).pipe(Route.use(Auth.require(User, Auth.bearer(careless)))),
  basic: Route.get("/basic", careless("user")).pipe(
    Route.use(
      Auth.require(
        User,
        Auth.basic((credentials) => careless(credentials))
      )
    )
  ),
  header: Route.get("/header", careless("user")).pipe(
    Route.use(Auth.require(User, Auth.apiKey(careless, { header: "x-api-key" })))
  ),
  query: Route.get("/query", careless("user")).pipe(
    Route.use(Auth.require(User, Auth.apiKey(careless, { query: "api_key" })))
  ),
  cookie: Route.get("/cookie", careless("user")).pipe(
    Route.use(Auth.require(User, Auth.apiKey(careless, { cookie: "key" })))
  ),
  jwt: Route.get("/jwt", careless("user")).pipe(
    Route.use(
      Auth.require(
        User,
        Auth.bearer((token) =>
          Effect.andThen(
            Jwt.verify({ keys: jwtKeys, audience: "api", claims: Schema.Struct({ sub: Schema.Int }) })(token),
            careless(token)
          )
        )
      )
    )
  ),
  issue: Route.get("/issue", Effect.flatMap(Jwt.sign({}, { key: jwtKeys, expiresIn: "1 hour" }), careless)),
  sealed: Route.get(
    "/sealed",
    Effect.gen(function* () {
      const text = (yield* Request.query).get("sealed_token") ?? ""
      const { note } = yield* Effect.mapError(sealed.open(text), (cause) => new Refused({ cause }))
      return yield* careless(Redacted.make(note))
    })
  ),
  signed: Route.get("/signed", careless("signed")).pipe(Route.use(links.verify)),
  pay: Route.post("/pay", careless("paid")).pipe(Route.use(Idempotency.make({ scope: "shared" }))),
  request: Route.get(
    "/request",
    Effect.flatMap(Request.current, (request) => careless(request))
  ),
  stuck: Route.get("/stuck", Effect.andThen(Effect.logInfo("it is stuck"), Effect.never)).pipe(
    Route.use(
      Auth.require(
        User,
        Auth.apiKey(() => Effect.succeed("user"), { query: "api_key" })
      )
    )
  ),
  keys: Route.get("/keys", careless({ keys, jwtKeys: Redacted.make(jwtKeys), sealed, links })),
  oidc: Route.mount("/auth", oidc)
})

const formats = {
  common: AccessLog.common,
  combined: AccessLog.combined,
  standard: AccessLog.standard,
  json: AccessLog.json,
  logfmt: AccessLog.logfmt,
  all: AccessLog.format(
    "%r %{Authorization}i %{Cookie}i %{X-Api-Key}i %{X-Csrf-Token}i %{Proxy-Authorization}i %{Referer}i %{Set-Cookie}o %{Location}o %{error}x %{url}x"
  )
}

/** Everything that is told: lines of all loggers at all levels, spans, and lines of the access log. */
const told = () => {
  const lines: Array<string> = []
  const tell = (...what: ReadonlyArray<unknown>) => {
    for (const each of what)
      lines.push(typeof each === "string" ? each : inspect(each, { depth: null, showHidden: true }))
  }
  const loggers = [
    Logger.map(Logger.formatSimple, tell),
    Logger.map(Logger.formatLogFmt, tell),
    Logger.map(Logger.formatJson, tell),
    Logger.map(Logger.formatStructured, tell),
    Logger.consolePretty({ colors: false }),
    Logger.tracerLogger
  ]
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      const { end } = span
      span.end = (time, exit) => {
        tell(span.name, [...span.attributes], span.events)
        if (exit._tag === "Failure") tell(Cause.pretty(exit.cause))
        end.call(span, time, exit)
      }
      return span
    }
  })
  const telling = Object.assign(Object.create(globalThis.console), {
    log: tell,
    error: tell,
    warn: tell,
    info: tell,
    debug: tell,
    group: tell,
    groupCollapsed: tell,
    groupEnd: () => {}
  })
  const layer = Layer.mergeAll(
    Logger.layer(loggers),
    Layer.succeed(References.MinimumLogLevel, "All"),
    Layer.succeed(Tracer.Tracer, tracer),
    Layer.succeed(Console.Console, telling as Console.Console)
  )
  const accessLogs = Object.values(formats).map((format) => AccessLog.make({ format, write: (text) => tell(text) }))
  return { lines, layer, accessLogs }
}

/** Fails with the lines that have a secret in them. */
const isKept = (lines: ReadonlyArray<string>, given: ReadonlyArray<string>) => {
  const words = [mark, Base64.encode(`ada:${mark}`).slice(0, 10), ...given]
  const found = lines.filter((line) => words.some((word) => line.includes(word)))
  assert.deepStrictEqual(
    found.map((line) => line.slice(0, 2000)),
    []
  )
}

const tracing: Middleware.Middleware = HttpMiddleware.tracer

const renderers = {
  production: ErrorResponse.render,
  development: ErrorResponse.development({ readSource: () => undefined })
}

const part = (name: string, value: string, head: Readonly<Record<string, string>> = {}, body = "") => ({
  name,
  value,
  head,
  body
})
const form = { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin" }
const json = { "content-type": "application/json", "sec-fetch-site": "same-origin" }

/** What is sent: a secret in each place, well-formed and not. */
const sent = (token: string) => [
  part("POST", "/login", form, `name=ada&password=${secret("password")}`),
  part("POST", "/login", form, `name=ada&password=${secret("twice")}&password=${secret("twice")}`),
  part("POST", "/login", form, `name=ada&password=${secret("long")}${secret("long")}`),
  part("POST", "/login", { ...form, "content-type": "text/plain" }, secret("plain")),
  part("POST", "/login", { ...form, "content-encoding": "gzip" }, secret("gzip")),
  part("POST", "/json", json, JSON.stringify({ name: "ada", password: secret("json") })),
  part("POST", "/json", json, JSON.stringify({ name: "ada", password: { is: secret("object") } })),
  part("POST", "/json", json, JSON.stringify({ name: "ada", password: secret("long") + secret("long") })),
  part("POST", "/json", json, `{"password": "${secret("broken")}`),
  part("GET", "/bearer", { authorization: `Bearer ${secret("bearer")}` }),
  part("GET", "/bearer", { authorization: `Bearer "${secret("malformed")}"` }),
  part("GET", "/bearer", { authorization: secret("bare") }),
  part("GET", "/basic", { authorization: `Basic ${Base64.encode(`ada:${secret("basic")}`)}` }),
  part("GET", "/basic", { authorization: `Basic ${Base64.encode(`ada:${secret("basic")}`)}!` }),
  part("GET", "/header", { "x-api-key": secret("key") }),
  part("GET", `/query?api_key=${secret("key")}`),
  part("GET", `/query?api_key=${secret("key")}&api_key=${secret("two")}`, {
    referer: `http://a/?token=${secret("referer")}`
  }),
  part("GET", "/cookie", {
    cookie: `key=${secret("key")}; session=${secret("session")}; __Host-session=${secret("host")}`
  }),
  part("GET", "/session", { cookie: `session=${secret("forged")}` }),
  part("GET", "/session", { cookie: `session=e1.aaaaaa.${secret("forged")}` }),
  part("GET", "/jwt", { authorization: `Bearer ${secret("a")}.${secret("b")}.${secret("c")}` }),
  part("GET", "/jwt", { authorization: `Bearer ${token}` }),
  part("GET", "/jwt", { authorization: `Bearer ${token.slice(0, -2)}AA` }),
  part("GET", "/issue"),
  part("GET", "/keys"),
  part("GET", `/sealed?sealed_token=e1.aaaaaa.${secret("sealed")}`),
  part("GET", `/signed?signature=aaaaaa.${secret("signature")}`),
  part("POST", "/form", { "sec-fetch-site": "cross-site", "x-csrf-token": secret("csrf") }),
  part("POST", "/form", { "x-csrf-token": secret("csrf"), cookie: `csrf=s1.aaaaaa.${secret("csrf")}` }),
  part("POST", `/form?csrf_token=${secret("csrf")}`, { "content-type": "multipart/form-data; boundary=a" }, "--a--"),
  part("POST", "/pay", { ...json, "idempotency-key": secret("idempotency") }, secret("payment")),
  part("GET", `/auth/callback?code=${secret("code")}&state=a`),
  part("GET", `/nowhere?password=${secret("path")}`, {
    authorization: `Bearer ${secret("nowhere")}`,
    "proxy-authorization": secret("proxy")
  }),
  part("GET", `/request?token=${secret("token")}`, {
    authorization: secret("request"),
    cookie: `session=${secret("request")}`,
    "x-api-key": secret("request"),
    "x-csrf-token": secret("request"),
    "proxy-authorization": secret("request")
  }),
  part("PUT", "/login", { ...form, cookie: `session=${secret("put")}` }, secret("put"))
]

// What they are answered with: so each has come as far as it should.
const wanted = [
  ...[
    200, 422, 422, 415, 400, 500, 422, 422, 400, 500, 401, 401, 500, 401, 500, 500, 401, 500, 500, 500, 401, 401, 401
  ],
  ...[500, 500, 502, 403, 403, 403, 403, 500, 400, 404, 500, 405, 500, 200]
]

const appOf = (renderer: ErrorResponse.Renderer, issuer: string, accessLogs: ReadonlyArray<Middleware.Middleware>) => {
  const oidc = Oidc.make({
    session: Visit,
    keys,
    issuer,
    clientId: "app",
    clientSecret: Redacted.make(own.client),
    onLogin: careless
  })
  const app = App.make(routes(oidc as unknown as App.Any) as {}, { errorResponse: renderer }).pipe(
    App.use(Csrf.make({ tokens: { keys } })),
    App.use(Session.make(Visit, { store: Session.cookie({ keys }) })),
    App.use(tracing),
    App.use(RequestId.make())
  )
  return accessLogs.reduce((app, log) => app.pipe(App.use(log)), app) as unknown as App.App<never, never, {}, never>
}

const raw = ({ body, head, name, value }: ReturnType<typeof part>, accept: string): string => {
  const fields = Object.entries({ host: "localhost", accept, ...head }).map(([name, value]) => `${name}: ${value}\r\n`)
  const length = name === "GET" ? "" : `content-length: ${body.length}\r\n`
  return `${name} ${value} HTTP/1.1\r\n${fields.join("")}${length}\r\n${body}`
}

/** Sends all of it; gives what was answered, and what the client was given to keep. */
const attack = Effect.fnUntraced(function* (client: Testing.Client, accept: string) {
  const wire = yield* Wire.open(client)
  const token = Redacted.value(
    yield* Jwt.sign({ sub: secret("claim"), aud: "api" }, { key: jwtKeys, expiresIn: "1 hour" })
  )
  const given: Array<string> = token.split(".").slice(1)
  const [pages, statuses]: [Array<string>, Array<number>] = [[], []]
  let session = ""
  const all = sent(token)
  for (const each of [...all, part("GET", "/session"), part("GET", "/token")]) {
    const head = each.head.cookie === undefined && session !== "" ? { ...each.head, cookie: session } : each.head
    yield* wire.send(raw({ ...each, head }, accept))
    const { body, headers, status } = yield* wire.answer()
    const cookies = [...(headers["set-cookie"] ?? "").matchAll(/(\w+)=([es]1\.[^;]+)/g)]
    for (const [whole, name, value] of cookies) {
      given.push(value as string)
      if (name === "session") session = whole
    }
    statuses.push(status)
    if (status >= 400) pages.push(`${each.name} ${each.value.slice(0, 9)} ${JSON.stringify(headers)} ${body}`)
  }
  assert.deepStrictEqual(statuses, wanted)
  assert.isAbove(given.length, 3)
  return { given, pages }
})

describe("no secret is in a log, a span, an access log or an error", () => {
  for (const [name, renderer] of Object.entries(renderers)) {
    for (const accept of ["application/problem+json", "text/html", "text/plain"]) {
      it.live(`as ${accept} in ${name}`, () =>
        Effect.gen(function* () {
          const { accessLogs, layer, lines } = told()
          const { url } = yield* FaultyProvider.start
          const { given, pages } = yield* Effect.gen(function* () {
            return yield* attack(yield* Testing.client(appOf(renderer, url, accessLogs)), accept)
          }).pipe(Effect.scoped, Effect.provide(layer))
          isKept([...lines, ...pages], given)
          for (const each of ["careless", "url.full", "HTTP/1.1", "<redacted", "REDACTED"]) {
            assert.isTrue(
              lines.some((line) => line.includes(each)),
              each
            )
          }
        })
      )
    }
  }
})

const broken = (text: string) => Response.text(text, { contentType: "application/json" })

describe("no secret of a login at a provider is told, when the provider", () => {
  const tokens = { access_token: secret("access"), refresh_token: secret("refresh"), token_type: "Bearer" }
  const rows: ReadonlyArray<readonly [string, (faults: FaultyProvider.Faults) => void, number]> = [
    ["gives what it should", (faults) => (faults.more = tokens), 500],
    ["gives no ID token", (faults) => (faults.token = Effect.succeed(Response.json(tokens))), 502],
    ["gives a broken ID token", (faults) => (faults.more = { ...tokens, id_token: `a.${secret("id")}.c` }), 502],
    ["gives tokens of another type", (faults) => (faults.more = { ...tokens, token_type: secret("type") }), 502],
    ["gives tokens that are none", (faults) => (faults.more = { ...tokens, access_token: [secret("list")] }), 502],
    [
      "gives an ID token for another client",
      (faults) => Object.assign(faults, { more: tokens, claims: { aud: "other" } }),
      502
    ],
    [
      "gives an ID token for another login",
      (faults) => Object.assign(faults, { more: tokens, claims: { nonce: "other" } }),
      400
    ],
    [
      "refuses",
      (faults) =>
        (faults.token = Effect.succeed(Response.json({ error: "invalid_client", ...tokens }, { status: 401 }))),
      502
    ],
    ["breaks off", (faults) => (faults.token = Effect.succeed(broken(`{"access_token":"${secret("cut")}`))), 502],
    ["gives no JSON", (faults) => (faults.token = Effect.succeed(broken(`{"${secret("bad")}":x}`))), 502],
    ["shows a page", (faults) => (faults.token = Effect.succeed(Response.text(secret("page"), { status: 500 }))), 502]
  ]
  for (const [name, fault, wanted] of rows) {
    it.live(name, () =>
      Effect.gen(function* () {
        const { accessLogs, layer, lines } = told()
        const { faults, url } = yield* FaultyProvider.start
        const text = yield* Effect.gen(function* () {
          const wire = yield* Wire.open(yield* Testing.client(appOf(renderers.development, url, accessLogs)))
          yield* wire.send(raw(part("GET", "/auth/login"), "*/*"))
          const { headers } = yield* wire.answer()
          const [cookie = ""] = (headers["set-cookie"] ?? "").split(";")
          const { searchParams } = new URL(headers.location ?? "")
          faults.claims = { nonce: searchParams.get("nonce") }
          const claims = faults.claims
          fault(faults)
          faults.claims = { ...claims, ...faults.claims }
          const state = searchParams.get("state")
          const callback = `/auth/callback?code=${secret("code")}&state=${state}`
          yield* wire.send(raw(part("GET", callback, { cookie }), "text/html"))
          const { body, status } = yield* wire.answer()
          assert.strictEqual(status, wanted)
          return body.toString()
        }).pipe(Effect.scoped, Effect.provide(layer))
        isKept([...lines, text], [Base64.encode(`app:${mark}`).slice(0, 8)])
      })
    )
  }
})

it.live("no secret is told when the server stops and requests are still running", () =>
  Effect.gen(function* () {
    const { accessLogs, layer, lines } = told()
    yield* Effect.gen(function* () {
      const app = appOf(renderers.production, "http://127.0.0.1:9", accessLogs)
      const client = yield* Testing.client(app, { shutdownTimeout: "10 millis" })
      const wire = yield* Wire.open(client)
      const head = { authorization: `Bearer ${secret("bearer")}`, cookie: `session=${secret("cookie")}` }
      yield* wire.send(raw(part("GET", `/stuck?api_key=${secret("key")}`, head), "*/*"))
      yield* until(() => lines.some((line) => line.includes("it is stuck")))
    }).pipe(Effect.scoped, Effect.provide(layer))
    assert.isTrue(lines.some((line) => line.includes("/stuck")))
    isKept(lines, [])
  })
)
