/**
 * The phases of a request in which a stop may find it: how to bring one there, and what its client must see.
 *
 * ```ts
 * for (const phase of phases) yield* phase.arrive(wire, program)
 * ```
 */
import * as Fs from "node:fs"
import * as Http from "node:http"
import * as Os from "node:os"
import * as Path from "node:path"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Wire from "../conformance/wire.ts"
import { CLOSE, closing, frame, upgrade } from "../frames.ts"
import { get, post, until } from "../server/both.ts"
import { connectTo, tryConnect } from "../server/started.ts"
import type { Program } from "./program.ts"

/** A phase. */
export interface Phase {
  readonly name: string
  /** The options of the program, as JSON. */
  readonly options?: object
  /** What has to be there before: options, and what leaves with them. */
  readonly prepare?: Effect.Effect<Pick<Phase, "options" | "leave">, never, Scope.Scope>
  /** Brings the request into its phase. */
  readonly arrive: (wire: Wire.Wire, program: Program) => Effect.Effect<unknown, unknown, Scope.Scope>
  /** What comes of it after the first signal. */
  readonly leave: (wire: Wire.Wire, program: Program) => Effect.Effect<unknown, unknown, Scope.Scope>
  /** The line of the report, its level first. */
  readonly report: string
}

const seen = (wire: Wire.Wire, status: number, body?: string) =>
  Effect.map(wire.answer(), (answer) => {
    assert.deepStrictEqual([answer.status, answer.headers.connection], [status, "close"])
    if (body !== undefined) assert.strictEqual(answer.body.toString(), body)
  })

const closed = (wire: Wire.Wire) => Effect.map(wire.closed, (rest) => assert.strictEqual(rest, ""))

const asked = (bytes: string) => (wire: Wire.Wire, program: Program) =>
  Effect.andThen(wire.send(bytes), program.says(/^asked/m))

const opened = (wire: Wire.Wire, program: Program) =>
  Effect.andThen(program.open, Effect.andThen(seen(wire, 200, "through"), closed(wire)))

const accepts = ({ port }: Program) => Effect.scoped(connectTo(port))

const refused = ({ port }: Program) =>
  Effect.map(Effect.flip(Effect.scoped(tryConnect(port))), (code) => assert.strictEqual(code, "ECONNREFUSED"))

const nothing = "INFO Stopped in T: nothing was under way"
const finished = "INFO Stopped in T: 1 of 1 request finished"
const short = { shutdownTimeout: "300 millis" }

/** Where the program saves what is uploaded. */
export const target = Path.join(Os.tmpdir(), `effect-web-lifecycle-${process.pid}`)

const content = "x".repeat(200_000)
const form = [
  `--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n${content.slice(0, 100_000)}`,
  `${content.slice(100_000)}\r\n--b--\r\n`
] as const
const formHead = `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${form.join("").length}\r\n`

/** An upstream server that answers as soon as it is told to. */
const upstream = Effect.gen(function* () {
  const server = Http.createServer()
  let answer: (() => void) | undefined
  server.on("request", (request, response) => {
    answer = () => void response.end(`from upstream ${request.url}`)
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => void server.close().closeAllConnections())
  )
  return {
    port: (server.address() as { readonly port: number }).port,
    isAsked: () => answer !== undefined,
    answer: () => answer?.()
  }
})

const big = 30_000_000

/** A file that no buffer on the way takes whole. */
const bigFile = Effect.acquireRelease(
  Effect.sync(() => {
    const path = `${target}.big`
    Fs.writeFileSync(path, "")
    Fs.truncateSync(path, big)
    return path
  }),
  (path) => Effect.sync(() => Fs.rmSync(path))
)

/** All phases. */
export const phases: ReadonlyArray<Phase> = [
  {
    name: "a connection on which nothing was sent is closed",
    arrive: () => Effect.sleep("20 millis"),
    leave: closed,
    report: nothing
  },
  {
    name: "half a head may be completed, and is answered",
    arrive: (wire) => Effect.andThen(wire.send("GET / HTTP/1.1\r\nHo"), Effect.sleep("50 millis")),
    leave: (wire) => Effect.andThen(wire.send("st: a\r\n\r\n"), Effect.andThen(seen(wire, 200, "home"), closed(wire))),
    report: finished
  },
  {
    name: "half a head that stays half is closed after shutdownTimeout",
    options: short,
    arrive: (wire) => Effect.andThen(wire.send("GET / HTTP/1.1\r\nHo"), Effect.sleep("50 millis")),
    leave: closed,
    report: "WARN Stopped in T: 1 connection destroyed"
  },
  {
    name: "a body on its way may arrive, and is answered",
    arrive: asked(post("/echo", "half").replace("Length: 4", "Length: 8")),
    leave: (wire) => Effect.andThen(wire.send("half"), Effect.andThen(seen(wire, 200, "halfhalf"), closed(wire))),
    report: finished
  },
  {
    name: "a body that never arrives is answered 503 after shutdownTimeout",
    options: short,
    arrive: asked(post("/echo", "half").replace("Length: 4", "Length: 8")),
    leave: (wire) => Effect.andThen(seen(wire, 503), closed(wire)),
    report: "WARN Stopped in T: 0 of 1 request finished, 1 interrupted; did not finish: echo after T"
  },
  {
    name: "a handler that runs has the time to answer",
    arrive: asked(get("/gate")),
    leave: opened,
    report: finished
  },
  {
    name: "a handler that takes too long is answered 503 after shutdownTimeout",
    options: short,
    arrive: asked(get("/gate")),
    leave: (wire) => Effect.andThen(seen(wire, 503), closed(wire)),
    report: "WARN Stopped in T: 0 of 1 request finished, 1 interrupted; did not finish: gate after T"
  },
  {
    name: "a handler in its own timeout is answered as ever, when that is over",
    arrive: asked(get("/timed")),
    leave: (wire) => Effect.andThen(seen(wire, 503), closed(wire)),
    report: finished
  },
  {
    name: "a long poll with onDrain is answered 503 at once",
    arrive: asked(get("/poll")),
    leave: (wire) => Effect.andThen(seen(wire, 503), closed(wire)),
    report: "INFO Stopped in T: 0 of 1 request finished, 1 interrupted by onDrain"
  },
  {
    name: "an answer whose head is out streams to its end",
    arrive: (wire, program) =>
      Effect.andThen(asked(get("/stream"))(wire, program), Effect.andThen(wire.until("one,"), wire.until("\r\n"))),
    leave: (wire, { open }) =>
      Effect.map(Effect.andThen(open, wire.closed), (rest) => assert.strictEqual(rest, "3\r\ntwo\r\n0\r\n\r\n")),
    report: finished
  },
  {
    name: "an upload on its way is saved whole",
    arrive: asked(`POST /upload HTTP/1.1\r\nHost: a\r\n${formHead}\r\n${form[0]}`),
    leave: (wire) => Effect.andThen(wire.send(form[1]), Effect.andThen(seen(wire, 200, "saved 200000"), closed(wire))),
    report: finished
  },
  {
    name: "an event stream ends with when to come again, and its client may come again elsewhere",
    arrive: (wire) => Effect.andThen(wire.send(get("/events")), wire.until("data: a\n\n")),
    leave: (wire, program) =>
      Effect.gen(function* () {
        assert.match(yield* wire.closed, /retry: 3000\n\n\r\n0\r\n\r\n$/)
        yield* Effect.andThen(program.says(/^stopped/m), refused(program))
      }),
    report: "INFO Stopped in T: 1 of 1 event stream ended"
  },
  {
    name: "a WebSocket is closed with 1001",
    arrive: (wire) => Effect.andThen(upgrade(wire, "/socket"), wire.until("ready")),
    leave: (wire) =>
      Effect.gen(function* () {
        assert.include(yield* wire.until("The server stops"), "\x88\x12\x03\xe9")
        yield* wire.send(frame(CLOSE, closing(1001)))
        yield* closed(wire)
      }),
    report: "INFO Stopped in T: 1 of 1 WebSocket closed"
  },
  {
    name: "a connection that waits for its next request is closed",
    arrive: (wire) => Effect.andThen(wire.send(get("/")), wire.answer()),
    leave: closed,
    report: nothing
  },
  {
    name: "of a pipeline the request at work is answered; the next is not begun, so that it may be sent again",
    arrive: asked(get("/gate") + get("/")),
    leave: opened,
    report: finished
  },
  {
    name: "a file that is on its way arrives whole",
    prepare: Effect.map(bigFile, (file) => ({
      options: { file },
      leave: (wire: Wire.Wire) =>
        Effect.gen(function* () {
          // By its length alone: to keep so much takes too long.
          let size = wire.rest().length - wire.rest().indexOf("\r\n\r\n") - 4
          wire.socket.removeAllListeners("data")
          wire.socket.on("data", (chunk: Buffer) => {
            size += chunk.length
          })
          wire.socket.resume()
          yield* until(() => wire.socket.readableEnded)
          assert.strictEqual(size, big)
        })
    })),
    arrive: (wire) =>
      Effect.gen(function* () {
        yield* wire.send(get("/file"))
        yield* until(() => wire.rest().includes("\r\n\r\n"))
        wire.socket.pause()
      }),
    leave: () => Effect.void,
    report: finished
  },
  {
    name: "what is asked of an upstream server is answered as that does",
    prepare: Effect.map(upstream, ({ answer, isAsked, port }) => ({
      options: { upstream: `http://127.0.0.1:${port}` },
      leave: (wire: Wire.Wire) =>
        Effect.gen(function* () {
          yield* until(isAsked)
          answer()
          yield* seen(wire, 200, "from upstream /a")
          yield* closed(wire)
        })
    })),
    arrive: (wire) => Effect.andThen(wire.send(get("/proxy/a")), Effect.sleep("100 millis")),
    leave: () => Effect.void,
    report: finished
  },
  {
    name: "background work finishes",
    arrive: (wire, program) => Effect.andThen(asked(get("/task"))(wire, program), wire.answer()),
    leave: (wire, { open, says }) => Effect.andThen(closed(wire), Effect.andThen(open, says(/^mailed/m))),
    report: "INFO Stopped in T: 1 of 1 background task finished"
  },
  {
    name: "a run of cron finishes, and there is no next",
    arrive: (wire, program) => Effect.andThen(asked(get("/cron"))(wire, program), wire.answer()),
    leave: (wire, { open, says }) => Effect.andThen(closed(wire), Effect.andThen(open, says(/^ticked/m))),
    report: "INFO Stopped in T: 1 of 2 background tasks finished, 1 interrupted by onDrain"
  },
  {
    name: "during drainDelay what comes is answered, readiness says no, and then nobody is let in",
    options: { drainDelay: "500 millis" },
    arrive: () => Effect.void,
    leave: (wire, program) =>
      Effect.gen(function* () {
        yield* wire.send(get("/"))
        yield* Effect.andThen(seen(wire, 200, "home"), closed(wire))
        const probe = yield* connectTo(program.port)
        yield* probe.send(get("/health/ready"))
        yield* seen(probe, 503)
        yield* program.says(/^stopped/m)
      }),
    report: "INFO Stopped in T: 2 of 2 requests finished"
  },
  {
    name: "during an onDrain hook the listeners are open, until it has ended",
    options: { waitsInOnDrain: true },
    arrive: () => Effect.void,
    leave: (wire, program) =>
      Effect.gen(function* () {
        yield* Effect.andThen(accepts(program), Effect.andThen(wire.send(get("/")), seen(wire, 200, "home")))
        yield* Effect.andThen(program.open, program.says(/^stopped/m))
      }),
    report: finished
  }
]
