/**
 * What a client and the log are told of failures by plain Effect 4.1, and by effect-web.
 */
import { assert, it } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as Html from "../../src/Html.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { get, post } from "../server/both.ts"
import { ours, plain, quiet } from "./servers.ts"

const ok = HttpServerResponse.text("ok")
const broken = Effect.die(new Error("x"))
const json = "Content-Type: application/json\r\n"
const small = ByteSize.bytes(10)

it.live("an error has an empty body there, and says what it is here", () =>
  Effect.gen(function* () {
    const body = HttpServerRequest.schemaBodyJson(Schema.Struct({ id: Schema.Number }))
    const routes = Layer.mergeAll(
      HttpRouter.add("POST", "/json", Effect.as(body, ok)),
      HttpRouter.add(
        "POST",
        "/small",
        body.pipe(Effect.provideService(HttpServerRequest.MaxBodySize, small), Effect.as(ok))
      ),
      HttpRouter.add("GET", "/broken", broken)
    )
    const there = yield* plain(HttpRouter.serve(routes, quiet))
    const id = Schema.Struct({ id: Schema.Number })
    const app = App.make({
      json: Route.post("/json", Effect.as(Body.json(id), ok)),
      small: Route.post("/small", Effect.as(Body.json(id, { limit: small }), ok)),
      broken: Route.get("/broken", broken)
    })
    const here = yield* ours(app)
    const rows: ReadonlyArray<readonly [bytes: string, status: number, title: string]> = [
      [post("/json", "{", json), 400, "Bad Request"],
      [get("/nothing"), 404, "Not Found"],
      [post("/small", `{"id":1234567}`, json), 413, "Content Too Large"],
      [get("/broken"), 500, "Internal Server Error"]
    ]
    for (const [bytes, status, title] of rows) {
      const empty = yield* there.ask(bytes)
      assert.deepStrictEqual(
        [empty.status, empty.headers["content-type"], empty.framing, empty.body.length],
        [status, undefined, "chunked", 0]
      )
      const full = yield* here.ask(bytes)
      assert.deepStrictEqual([full.status, full.headers["content-type"]], [status, "application/problem+json"])
      assert.deepInclude(JSON.parse(full.body.toString()), { status, title })
    }
  })
)

it.live("an error is the same for every Accept there, and is negotiated here", () =>
  Effect.gen(function* () {
    const there = yield* plain(HttpRouter.serve(HttpRouter.add("GET", "/", ok), quiet))
    const here = yield* ours(App.make({ home: Route.get("/", Effect.succeed(ok)) }))
    const rows: ReadonlyArray<readonly [accept: string, contentType: string, says: RegExp]> = [
      ["text/html", "text/html; charset=utf-8", /^<!doctype html>/i],
      ["text/plain", "text/plain; charset=utf-8", /^404/],
      ["*/*", "application/problem+json", /^\{"/]
    ]
    for (const [accept, contentType, says] of rows) {
      const bytes = get("/nothing", `Accept: ${accept}\r\n`)
      const empty = yield* there.ask(bytes)
      assert.deepStrictEqual([empty.status, empty.headers["content-type"], empty.body.length], [404, undefined, 0])
      const full = yield* here.ask(bytes)
      assert.deepStrictEqual([full.status, full.headers["content-type"]], [404, contentType])
      assert.match(full.body.toString(), says)
    }
  })
)

it.live("a handler that gives no response hangs the request there, and is a 500 here", () =>
  Effect.gen(function* () {
    // What JavaScript, or an `any`, lets through.
    const wrong = Effect.succeed("text" as never)
    const there = yield* plain(HttpRouter.serve(HttpRouter.add("GET", "/", wrong), quiet))
    const answer = yield* Effect.timeoutOption(there.ask(get("/")), "250 millis")
    assert.deepStrictEqual([answer, there.logs], [Option.none(), []])

    const here = yield* ours(App.make({ home: Route.get("/", wrong) }))
    assert.strictEqual((yield* here.ask(get("/"))).status, 500)
    assert.deepStrictEqual(here.logs, ["Error The handler died (GET /)"])
  })
)

it.live("a stream that fails before its first chunk drops the connection there, and is a 500 here", () =>
  Effect.gen(function* () {
    const failed = Effect.succeed(HttpServerResponse.stream(Stream.fail(new Error("x"))))
    const there = yield* plain(HttpRouter.serve(HttpRouter.add("GET", "/", failed), quiet))
    const wire = yield* there.connect
    yield* wire.send(get("/"))
    assert.strictEqual(yield* wire.closed, "")

    const here = yield* ours(App.make({ home: Route.get("/", failed) }))
    assert.strictEqual((yield* here.ask(get("/"))).status, 500)
    assert.strictEqual(here.logs.length, 1)
  })
)

it.live("a defect is silent without the access log there and of level Info with it, and one error here", () =>
  Effect.gen(function* () {
    const route = HttpRouter.add("GET", "/", broken)
    const silent = yield* plain(HttpRouter.serve(route, quiet))
    assert.strictEqual((yield* silent.ask(get("/"))).status, 500)
    assert.deepStrictEqual(silent.logs, [])

    const access = yield* plain(HttpRouter.serve(route, { disableListenLog: true }))
    assert.strictEqual((yield* access.ask(get("/"))).status, 500)
    assert.deepStrictEqual(
      access.logs.map((line) => line.split(" ")[0]),
      ["Info"]
    )

    const here = yield* ours(App.make({ home: Route.get("/", broken) }))
    assert.strictEqual((yield* here.ask(get("/"))).status, 500)
    assert.deepStrictEqual(here.logs, ["Error The handler died (GET /)"])
  })
)

it.live("what is interpolated into HTML is markup there, and text here", () =>
  Effect.gen(function* () {
    const name = "<script>alert(1)</script>"
    const there = yield* plain(
      HttpRouter.serve(HttpRouter.add("GET", "/", HttpServerResponse.html`<p>${name}</p>`), quiet)
    )
    assert.strictEqual((yield* there.ask(get("/"))).body.toString(), `<p>${name}</p>`)

    // @ts-expect-error "no escaped HTML: write html`...`, or Html.raw(text) for text that is trusted"
    assert.throws(() => Response.html(`<p>${name}</p>`), TypeError)
    const page = Effect.sync(() => Response.html(Html.html`<p>${name}</p>`))
    const here = yield* ours(App.make({ home: Route.get("/", page) }))
    assert.strictEqual((yield* here.ask(get("/"))).body.toString(), "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>")
  })
)
