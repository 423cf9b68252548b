/**
 * Tests with a client of HTTP/2: Node's, one request and its answer at a time.
 */
import * as Http2 from "node:http2"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as App from "../../../src/App.ts"
import type * as Server from "../../../src/server/Server.ts"
import { recorder } from "../both.ts"
import { start } from "../started.ts"

/** A request, and what came. */
export interface Answer {
  readonly status: number
  readonly headers: Http2.IncomingHttpHeaders
  readonly body: Buffer
  /** The code that its stream was closed with. */
  readonly code: number
}

/** A session with a server; its certificate may be anybody's. */
export const session = (
  { url }: Server.Server["Service"],
  options: Http2.SecureClientSessionOptions = {}
): Effect.Effect<Http2.ClientHttp2Session, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => Http2.connect(url, { rejectUnauthorized: false, ...options }).on("error", () => {})),
    (session) => Effect.sync(() => session.destroy())
  )

/** Sends a request, and waits for the end of its stream. */
export const ask = (
  session: Http2.ClientHttp2Session,
  headers: Http2.OutgoingHttpHeaders,
  body?: Uint8Array | string
): Effect.Effect<Answer> =>
  Effect.callback((resume) => {
    const chunks: Array<Buffer> = []
    let head: Http2.IncomingHttpHeaders = {}
    const stream = session.request(headers, { endStream: body === undefined })
    stream.on("response", (headers) => {
      head = headers
    })
    stream.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => {})
    stream.on("close", () => {
      const status = Number(head[":status"] ?? 0)
      resume(Effect.succeed({ status, headers: head, body: Buffer.concat(chunks), code: stream.rstCode ?? 0 }))
    })
    if (body !== undefined) stream.end(body)
  })

/** The head of an upload. */
export const post = (path: string) => ({ ":path": path, ":method": "POST" })

/** Runs a test with a session, without TLS; whatever it does, nothing is logged as an error. */
export const test = <E, T extends App.Routes, Added, E2>(
  name: string,
  app: App.Servable<E, never, T, Added>,
  run: (client: Http2.ClientHttp2Session, server: Server.Server["Service"]) => Effect.Effect<unknown, E2, Scope.Scope>,
  options: Server.Options = {}
): void =>
  it.live(name, () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const { server } = yield* start<E, never, T, Added>(app, { h2c: true, ...options })
      yield* run(yield* session(server), server)
      assert.deepStrictEqual(
        logs.filter((line) => /^(Error|Fatal)/i.test(line)),
        []
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
