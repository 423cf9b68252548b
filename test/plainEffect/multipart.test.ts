/**
 * Multipart bodies: what plain Effect 4.1 waits for, takes or splits, and effect-web does not.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Multipart from "../../src/Multipart.ts"
import * as Route from "../../src/Route.ts"
import { body, field, file, type } from "../multiparts.ts"
import { ours, plain, quiet } from "./servers.ts"

const post = (text: string): string =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${text.length}\r\n\r\n${text}`

/** Both servers: what they make of each part, in one line. */
const servers = (
  there: (part: { readonly key: string; readonly value?: string }) => string,
  here: (part: Multipart.Part) => Effect.Effect<string, Multipart.Failure>
) =>
  Effect.gen(function* () {
    const request = HttpServerRequest.HttpServerRequest
    const parts = Stream.unwrap(Effect.map(request, ({ multipartStream }) => multipartStream))
    const answer = (texts: ReadonlyArray<string>) => HttpServerResponse.text(texts.join())
    const handler = Effect.map(Stream.runCollect(Stream.map(parts, (part) => there(part as { key: string }))), answer)
    const app = App.make({
      home: Route.post(
        "/",
        Effect.flatMap(Multipart.reader, ({ stream }) =>
          Effect.map(Stream.runCollect(Stream.mapEffect(stream, here)), answer)
        )
      )
    })
    return {
      there: yield* plain(HttpRouter.serve(HttpRouter.add("POST", "/", handler), quiet)),
      here: yield* ours(app)
    }
  })

const names = servers(
  ({ key }) => key,
  ({ name }) => Effect.succeed(name)
)
const values = servers(
  ({ value = "" }) => JSON.stringify(value),
  ({ text }) => Effect.map(text, (text) => JSON.stringify(text))
)

it.live("a file that is not read is waited for without end there, and is passed over here", () =>
  Effect.gen(function* () {
    const { here, there } = yield* names
    const bytes = post(body([file("a", "a.txt", "x".repeat(200_000)), field("b", "")]))
    assert.strictEqual((yield* Effect.timeoutOption(there.ask(bytes), "300 millis"))._tag, "None")
    assert.strictEqual((yield* here.ask(bytes)).body.toString(), "a,b")
  })
)

it.live("a line that only begins as the boundary ends a part there, and is its content here", () =>
  Effect.gen(function* () {
    const { here, there } = yield* values
    const bytes = post(body([field("a", "1\r\n--bcd\r\n2")]))
    assert.notStrictEqual((yield* there.ask(bytes)).body.toString(), JSON.stringify("1\r\n--bcd\r\n2"))
    assert.strictEqual((yield* here.ask(bytes)).body.toString(), JSON.stringify("1\r\n--bcd\r\n2"))
  })
)

it.live("base64 is left as it is there, and decoded here", () =>
  Effect.gen(function* () {
    const { here, there } = yield* values
    const bytes = post(body([field("a", "SGVsbG8=", "\r\nContent-Transfer-Encoding: base64")]))
    assert.strictEqual((yield* there.ask(bytes)).body.toString(), JSON.stringify("SGVsbG8="))
    assert.strictEqual((yield* here.ask(bytes)).body.toString(), JSON.stringify("Hello"))
  })
)

it.live("ten thousand parts are taken there, and a thousand here", () =>
  Effect.gen(function* () {
    const { here, there } = yield* names
    const bytes = post(body(Array.from({ length: 10_000 }, () => field("a", ""))))
    assert.strictEqual((yield* there.ask(bytes)).status, 200)
    assert.strictEqual((yield* here.ask(bytes)).status, 413)
  })
)
