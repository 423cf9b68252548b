/**
 * Attacks on who asks, on a real connection: credentials that are malformed, doubled, huge or guessed.
 */
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import * as App from "../../src/App.ts"
import * as ErrorResponse from "../../src/ErrorResponse.ts"
import type * as Middleware from "../../src/Middleware.ts"
import * as Auth from "../../src/middleware/Auth.ts"
import * as RecordStore from "../../src/RecordStore.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Session from "../../src/Session.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as Wire from "../conformance/wire.ts"
import * as Seeded from "../seeded.ts"
import { recorder } from "../server/both.ts"
import { attacks } from "./attacks.ts"

class CurrentUser extends Context.Service<CurrentUser, { readonly name: string }>()("app/CurrentUser") {}

const secret = "s3cret-5f2c"
const known = (credentials: Redacted.Redacted<string>) =>
  Effect.sync(() => (Auth.equals(credentials, secret) ? { name: "Ada" } : undefined))
const scheme = Auth.any([
  Auth.bearer(known),
  Auth.basic(({ password }) => known(password)),
  Auth.apiKey(known, { header: "x-api-key" })
])
const hello = Effect.map(CurrentUser, ({ name }) => Response.text(`Hello, ${name}`))

// Effect's own tracer, its types made honest.
const tracing: Middleware.Middleware = HttpMiddleware.tracer

const appOf = (by: Auth.Scheme<{ readonly name: string }>) =>
  App.make({ me: Route.get("/", hello) }, { errorResponse: ErrorResponse.development() }).pipe(
    App.use(Auth.require(CurrentUser, by)),
    App.use(tracing)
  )

/** Sends the fields in one request, and gives the answer and what was logged. */
const sent = (fields: ReadonlyArray<string>, by = scheme as Auth.Scheme<{ readonly name: string }>) => {
  const { layer, logs } = recorder()
  return Effect.gen(function* () {
    const wire = yield* Wire.open(yield* Testing.socketClient(appOf(by)))
    yield* wire.send(Buffer.from(["GET / HTTP/1.1", "Host: a", ...fields, "", ""].join("\r\n"), "latin1"))
    const answer = yield* wire.answer()
    return { ...answer, logs, text: answer.body.toString() }
  }).pipe(Effect.provide(layer))
}

const refused = Effect.fnUntraced(function* (...fields: ReadonlyArray<string>) {
  const { headers, logs, status } = yield* sent(fields)
  assert.strictEqual(status, 401)
  assert.match(headers["www-authenticate"] ?? "", /^Bearer/)
  assert.deepStrictEqual(logs, [])
})

const bearer = `Authorization: Bearer ${secret}`
const basicOf = (text: string | Uint8Array) => `Authorization: Basic ${Base64.encode(text)}`

attacks("credentials", [
  {
    attack: "the right token",
    stoppedBy: "nothing, it is right",
    run: Effect.map(sent([bearer]), ({ text }) => assert.strictEqual(text, "Hello, Ada"))
  },
  {
    attack: "a second Authorization line, for a proxy that checks the last one",
    stoppedBy: "the field stands once, 401",
    run: refused(bearer, "Authorization: Bearer other")
  },
  {
    attack: "a second Authorization line of another scheme",
    stoppedBy: "the field stands once, 401",
    run: refused(bearer, "AUTHORIZATION: Basic x")
  },
  {
    attack: "two tokens in one line",
    stoppedBy: "no token has a comma, 401",
    run: refused(`${bearer}, Bearer other`)
  },
  {
    attack: "a second API key",
    stoppedBy: "they are one text together, 401",
    run: refused(`X-Api-Key: ${secret}`, `X-Api-Key: ${secret}`)
  },
  {
    attack: "a token with letters beyond ASCII",
    stoppedBy: "no token has them, 401",
    run: refused(`Authorization: Bearer ${secret}\xff`)
  },
  {
    attack: "a token of 12 KiB",
    stoppedBy: "a comparison in linear time, 401",
    run: refused(`Authorization: Bearer ${"a".repeat(12 * 1024)}`)
  },
  {
    attack: "Basic with 12 KiB of padding",
    stoppedBy: "base64 that is strict, 401",
    run: refused(`Authorization: Basic ${"=".repeat(12 * 1024)}`)
  },
  {
    attack: "a password in bytes that are not UTF-8",
    stoppedBy: "UTF-8 that is strict, 401",
    run: refused(basicOf(Uint8Array.of(0x41, 0x3a, 0xff, 0xc0, 0x80)))
  },
  {
    attack: "a control character behind a name, for who logs it",
    stoppedBy: "RFC 7617 has none, 401",
    run: refused(basicOf(`Ada\r\nroot logged in:${secret}`))
  },
  {
    attack: "the prefix of a secret",
    stoppedBy: "a comparison of the whole, 401",
    run: refused(`Authorization: Bearer ${secret.slice(0, -1)}`)
  },
  {
    attack: "a secret that repeats the expected one",
    stoppedBy: "a comparison of the lengths, 401",
    run: refused(`Authorization: Bearer ${secret}${secret}`)
  },
  {
    attack: "names of the prototype",
    stoppedBy: "they are texts as others, 401",
    run: refused("Authorization: __proto__ x", "X-Api-Key: constructor")
  },
  {
    attack: "500 random Authorization fields",
    stoppedBy: "401, nothing logged",
    run: Effect.gen(function* () {
      const { layer, logs } = recorder()
      const { below, pick } = Seeded.make(17)
      yield* Effect.gen(function* () {
        const client = yield* Testing.client(appOf(scheme))
        const schemes = ["Bearer", "Basic", "basic", "Digest", "", "Bearer Bearer", "Basic,"]
        for (let at = 0; at < 500; at++) {
          const bytes = Array.from({ length: below(40) }, () => below(95) + 32)
          const text = below(2) === 0 ? String.fromCharCode(...bytes) : Base64.encode(Uint8Array.from(bytes))
          const authorization = `${pick(schemes)} ${text}`.trim()
          const { status } = yield* client.get("/", { headers: { authorization } })
          assert.strictEqual(status, 401, authorization)
        }
      }).pipe(Effect.provide(layer))
      assert.deepStrictEqual(logs, [])
    })
  }
])

/** Every value of an attribute of every span that ended. */
const traced = <A, E, R>(effect: Effect.Effect<A, E, R>) => {
  const attributes: Array<unknown> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      const { end } = span
      span.end = (time, exit) => {
        attributes.push(...span.attributes.values())
        end.call(span, time, exit)
      }
      return span
    }
  })
  return Effect.map(Effect.provideService(effect, Tracer.Tracer, tracer), (value) => ({ value, attributes }))
}

const careless = (credentials: unknown) =>
  Effect.gen(function* () {
    yield* Effect.logInfo("who is it", JSON.stringify(credentials))
    return yield* Effect.die(new Error(`Cannot find ${String(credentials)} ${JSON.stringify(credentials)}`))
  })

attacks(
  "secrets are kept from",
  [
    ["a bearer token", bearer, Auth.bearer(careless)],
    ["a password", basicOf(`Ada:${secret}`), Auth.basic(careless)],
    ["an API key", `X-Api-Key: ${secret}`, Auth.apiKey(careless, { header: "x-api-key" })]
  ].map(([name, field, scheme]) => ({
    attack: `reading ${name} in the log, the spans or the page of an error`,
    stoppedBy: "it is Redacted from the beginning",
    run: Effect.gen(function* () {
      const { attributes, value } = yield* traced(sent([field as string], scheme as Auth.Scheme<never>))
      assert.strictEqual(value.status, 500)
      assert.isAbove(value.logs.length, 1)
      const seen = [value.text, ...value.logs, ...attributes.map(String)].join("\n")
      assert.notInclude(seen, secret)
      assert.notInclude(seen, Base64.encode(`Ada:${secret}`))
      assert.include(value.logs.join("\n"), "redacted")
    })
  }))
)

class Visit extends Session.Service<Visit>()("Visit", {
  fields: { identity: Schema.String },
  empty: { identity: "" },
  identity: Schema.String
}) {}

attacks("sessions", [
  {
    attack: "data of a session that looks like an identity",
    stoppedBy: "an identity is what rotate alone has set, 401",
    run: Effect.gen(function* () {
      const ok = Response.text("ok")
      const client = yield* Testing.client(
        App.make({
          me: Route.get("/", hello).pipe(
            Route.use(
              Auth.require(
                CurrentUser,
                Auth.session(Visit, (name) => Effect.succeed({ name }))
              )
            )
          ),
          set: Route.get(
            "/set",
            Effect.orDie(
              Effect.as(
                Visit.use((visit) => visit.set({ identity: "Ada" })),
                ok
              )
            )
          ),
          login: Route.get(
            "/login",
            Effect.orDie(
              Effect.as(
                Visit.use((visit) => visit.rotate("Ada")),
                ok
              )
            )
          )
        }).pipe(App.use(Session.make(Visit, { store: RecordStore.memory() })))
      )
      yield* client.get("/set")
      const { headers, status } = yield* client.get("/")
      assert.strictEqual(status, 401)
      assert.strictEqual(headers["www-authenticate"], 'Session realm="Restricted"')
      yield* client.get("/login")
      assert.strictEqual(yield* (yield* client.get("/")).text, "Hello, Ada")
    })
  }
])
