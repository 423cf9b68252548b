/**
 * An app under the web standard: from Request to Response.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as WebRequest from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { until } from "./both.ts"

const events: Array<string> = []
const note = (text: string) => Effect.sync(() => void events.push(text))

const tenant = App.make({
  home: Route.get(
    "/",
    Effect.map(WebRequest.params, ({ name }) => Response.text(`tenant ${name}`))
  )
})

const app = App.make({
  home: Route.get("/", Effect.succeed(Response.text("home"))),
  hello: Route.get("/hello/{name}", ({ params }) => Effect.succeed(Response.text(`Hello, ${params.name}`))),
  echo: Route.post(
    "/echo",
    Effect.map(Body.bytes(), (bytes) => Response.bytes(bytes))
  ),
  created: Route.post(
    "/created",
    Effect.succeed(
      Response.json({ id: 1 }, { status: 201, headers: { location: "/1" } }).pipe(
        Response.setCookie("a", "1"),
        Response.setCookie("b", "2")
      )
    )
  ),
  stream: Route.get(
    "/stream",
    Effect.succeed(Response.stream(Stream.ensuring(Stream.make("one", "two"), note("stream ended"))))
  ),
  endless: Route.get(
    "/endless",
    Effect.succeed(
      Response.stream(Stream.ensuring(Stream.concat(Stream.make("one"), Stream.never), note("stream ended")))
    )
  ),
  broken: Route.get(
    "/broken",
    Effect.succeed(Response.stream(Stream.concat(Stream.make("one"), Stream.fail(new Error("secret")))))
  ),
  forbidden: Route.get(
    "/forbidden",
    Effect.suspend(() => Effect.fail(new HttpError.Forbidden({ text: "Not you" })))
  ),
  defect: Route.get("/defect", Effect.die(new Error("secret"))),
  nothing: Route.get("/nothing", Effect.succeed(undefined as never)),
  tagged: Route.get("/tagged", Effect.succeed(Response.text("tagged").pipe(Response.etag("1")))),
  never: Route.get(
    "/never",
    Effect.andThen(note("started"), Effect.never).pipe(
      Effect.onInterrupt(() => note("interrupted")),
      Effect.ensuring(note("finalized"))
    )
  ),
  tenants: Route.host("{name}.tenants.test", tenant)
})

const handle = App.toWebHandler(app)
const asked = (path: string, init?: RequestInit) =>
  Effect.promise(() => handle(new Request(new URL(path, "http://app.test"), init)))
const text = (response: globalThis.Response) => Effect.promise(() => response.text())

type Row = readonly [
  name: string,
  path: string,
  init: RequestInit | undefined,
  status: number,
  body: string | undefined
]

const rows: ReadonlyArray<Row> = [
  ["a route", "/", undefined, 200, "home"],
  ["parameters", "/hello/Ada%20L", undefined, 200, "Hello, Ada L"],
  ["a host", "http://acme.tenants.test/", undefined, 200, "tenant acme"],
  ["an unknown path", "/unknown", undefined, 404, undefined],
  ["another method", "/", { method: "POST" }, 405, undefined],
  ["OPTIONS", "/", { method: "OPTIONS" }, 204, ""],
  ["HEAD", "/", { method: "HEAD" }, 200, ""],
  ["HEAD of a stream", "/stream", { method: "HEAD" }, 200, ""],
  ["a body", "/echo", { method: "POST", body: "body" }, 200, "body"],
  ["no body", "/echo", { method: "POST" }, 200, ""],
  ["a body above the limit", "/echo", { method: "POST", body: "x".repeat(1_048_577) }, 413, undefined],
  ["a stream", "/stream", undefined, 200, "onetwo"],
  ["a typed failure", "/forbidden", undefined, 403, undefined],
  ["a precondition", "/tagged", { headers: { "if-none-match": '"1"' } }, 304, ""]
]

describe("gives", () => {
  for (const [name, path, init, status, body] of rows) {
    it.live(name, () =>
      Effect.gen(function* () {
        const response = yield* asked(path, init)
        const found = yield* text(response)
        assert.strictEqual(response.status, status)
        if (body !== undefined) assert.strictEqual(found, body)
        else assert.strictEqual(JSON.parse(found).status, status)
      })
    )
  }

  it.live("headers and every cookie", () =>
    Effect.gen(function* () {
      const { headers, status } = yield* asked("/created", { method: "POST" })
      assert.deepStrictEqual(
        [status, headers.get("location"), headers.getSetCookie()],
        [201, "/1", ["a=1; Path=/", "b=2; Path=/"]]
      )
    })
  )

  it.live("Allow with a 405", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* asked("/", { method: "PUT" })).headers.get("allow"), "GET, HEAD, OPTIONS")
    })
  )
})

describe("what goes wrong", () => {
  for (const path of ["/defect", "/nothing"]) {
    it.live(`in ${path} is a 500 that tells nothing`, () =>
      Effect.gen(function* () {
        const response = yield* asked(path)
        const body = yield* text(response)
        assert.strictEqual(response.status, 500)
        assert.strictEqual(JSON.parse(body).status, 500)
        assert.notInclude(body, "secret")
      })
    )
  }

  it.live("in a stream after its first chunk fails its reader", () =>
    Effect.gen(function* () {
      const response = yield* asked("/broken")
      assert.strictEqual(response.status, 200)
      const failed = yield* Effect.promise(() =>
        response.text().then(
          () => false,
          () => true
        )
      )
      assert.isTrue(failed)
    })
  )
})

describe("a client that aborts", () => {
  it.live("interrupts its handler, with its finalizers", () =>
    Effect.gen(function* () {
      events.length = 0
      const controller = new AbortController()
      const answer = handle(new Request("http://app.test/never", { signal: controller.signal }))
      yield* until(() => events.length === 1)
      controller.abort()
      yield* Effect.promise(() => answer)
      yield* until(() => events.length === 3)
      assert.deepStrictEqual(events, ["started", "interrupted", "finalized"])
    })
  )

  it.live("by cancelling the body interrupts its stream", () =>
    Effect.gen(function* () {
      events.length = 0
      const response = yield* asked("/endless")
      const reader = (response.body as ReadableStream<Uint8Array>).getReader()
      const { value } = yield* Effect.promise(() => reader.read())
      assert.strictEqual(Buffer.from(value as Uint8Array).toString(), "one")
      yield* Effect.promise(() => reader.cancel())
      yield* until(() => events.length === 1)
      assert.deepStrictEqual(events, ["stream ended"])
    })
  )
})
