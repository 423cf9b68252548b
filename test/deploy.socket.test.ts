/**
 * The files in `examples/deploy` do what they promise: nginx before an app on a unix socket.
 */
import * as Http from "node:http"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import {
  App,
  Body,
  Request,
  RequestId,
  Response,
  Route,
  Server,
  Site,
  Sse,
  TrustedProxies,
  WebSocket
} from "../src/index.ts"
import * as Folder from "./folder.ts"
import * as Nginx from "./nginxServer.ts"
import * as Program from "./program.ts"

const folder = Folder.make()
let count = 0

const echo = WebSocket.raw({}, ({ messages, send }) => Stream.runForEach(messages, send))

/** The app of a test; `arrived` is done when the first bytes of an upload are there. */
const make = (arrived: Deferred.Deferred<void>) =>
  App.make({
    client: Route.get(
      "/client",
      Effect.gen(function* () {
        return Response.json({
          remote: yield* Request.remote,
          url: String(yield* Request.url),
          id: yield* RequestId.current
        })
      })
    ),
    upload: Route.post(
      "/upload",
      Effect.gen(function* () {
        let size = 0
        yield* Stream.runForEach(Body.stream({ limit: "8 MiB" }), (chunk) => {
          size += chunk.length
          return Deferred.succeed(arrived, undefined)
        })
        return Response.text(`${size}`)
      })
    ),
    events: Route.get("/events", Sse.response(Stream.concat(Stream.make("first"), Stream.never))),
    echo: Route.websocket("/echo", echo)
  }).pipe(App.use(RequestId.make({ accept: true })), App.use(TrustedProxies.make({ trusted: ["unix"] })))

const behindNginx = Effect.gen(function* () {
  const arrived = yield* Deferred.make<void>()
  const path = folder.at(`${count++}.sock`)
  yield* Server.start(make(arrived), { sites: [Site.unix({ path, mode: 0o660 })], shutdownTimeout: 0 })
  return { arrived, origin: yield* Nginx.make(path) }
})

describe("behind nginx", () => {
  it.live("the client is the one that nginx saw, whatever it says of itself", () =>
    Effect.gen(function* () {
      const { origin } = yield* behindNginx
      const headers = { "x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "gopher", "x-request-id": "forged" }
      const response = yield* Effect.promise(() => fetch(`${origin}/client?a=b`, { headers }))
      const { id, remote, url } = (yield* Effect.promise(() => response.json())) as Record<string, string>
      assert.strictEqual(remote, "127.0.0.1")
      assert.strictEqual(url, `${origin}/client?a=b`)
      assert.match(String(id), /^[0-9a-f]{32}$/)
      assert.strictEqual(response.headers.get("x-request-id"), id)
    })
  )

  it.live("an upload larger than nginx's own limit reaches the app while it is sent", () =>
    Effect.gen(function* () {
      const { arrived, origin } = yield* behindNginx
      const piece = Buffer.alloc(1024 * 1024)
      const answer = yield* Effect.callback<Http.IncomingMessage>((resume) => {
        const headers = { "content-length": 3 * piece.length }
        const request = Http.request(`${origin}/upload`, { method: "POST", headers }, (response) =>
          resume(Effect.succeed(response))
        )
        request.write(piece)
        Effect.runFork(
          Effect.andThen(
            Deferred.await(arrived),
            Effect.sync(() => request.end(Buffer.alloc(2 * piece.length)))
          )
        )
      })
      assert.strictEqual(String(yield* Effect.promise(() => answer.toArray())), `${3 * piece.length}`)
    })
  )

  it.live("events arrive at once", () =>
    Effect.gen(function* () {
      const { origin } = yield* behindNginx
      const controller = new AbortController()
      const response = yield* Effect.promise(() => fetch(`${origin}/events`, { signal: controller.signal }))
      const { value } = yield* Effect.promise(() =>
        response.body!.pipeThrough(new TextDecoderStream()).getReader().read()
      )
      assert.include(value, "data: first")
      controller.abort()
    })
  )

  it.live("a WebSocket talks both ways", () =>
    Effect.gen(function* () {
      const { origin } = yield* behindNginx
      const said = yield* Effect.callback<unknown>((resume) => {
        const socket = new globalThis.WebSocket(`${origin.replace("http", "ws")}/echo`)
        socket.onopen = () => socket.send("hello")
        socket.onmessage = ({ data }) => {
          socket.close()
          resume(Effect.succeed(data))
        }
        socket.onerror = () => resume(Effect.die(new Error("The socket failed")))
      })
      assert.strictEqual(said, "hello")
    })
  )

  it.live(
    "the program of the examples is rolled without an answer that is no 200",
    () =>
      Effect.gen(function* () {
        const path = folder.at(`${count++}.sock`)
        const program = yield* Program.start("examples/80-production.ts", { SOCKET: path })
        yield* program.printed(/workers? \(process(?:es)? [\d, ]+\) run on /)
        const origin = yield* Nginx.make(path)
        const statuses = new Set<number>()
        const ask = Effect.promise(async () => {
          const response = await fetch(origin)
          await response.text()
          statuses.add(response.status)
        })
        const asking = yield* Effect.forkChild(
          Effect.forEach(Array(8).keys(), () => Effect.forever(ask), { concurrency: 8 })
        )
        program.kill("SIGHUP")
        yield* program.printed(/\) run now"/)
        yield* Effect.repeat(ask, { times: 100 })
        yield* Fiber.interrupt(asking)
        assert.deepStrictEqual([...statuses], [200])
        program.kill("SIGTERM")
        assert.strictEqual(yield* program.code, 0)
      }),
    60_000
  )
})
