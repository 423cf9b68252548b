/**
 * A client that leaves: its handler is interrupted, with its finalizers, wherever it is.
 */
import { assert, describe } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ClientAbort } from "effect/http/HttpServerError"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { both, get, post, until } from "./both.ts"

/** What happened, in order; each test begins with none. */
const events: Array<string> = []
const note = (text: string) => Effect.sync(() => void events.push(text))

const ended = <A, E>(exit: Exit.Exit<A, E>) => {
  if (Exit.isSuccess(exit)) return note("success")
  const [reason] = exit.cause.reasons
  if (reason === undefined || !Cause.isInterruptReason(reason)) return note(Cause.pretty(exit.cause))
  const isClient = Option.isSome(Context.getOption(Cause.reasonAnnotations(reason), ClientAbort))
  return note(isClient ? "the client left" : "interrupted")
}

const waiting = Effect.gen(function* () {
  yield* Effect.addFinalizer(() => note("finalized"))
  yield* note("started")
  return yield* Effect.never
}).pipe(Effect.onExit(ended))

const slowCleanup = Effect.onInterrupt(Effect.andThen(note("started"), Effect.never), () =>
  Effect.andThen(Effect.yieldNow, note("cleaned"))
)

const app = App.make({
  waiting: Route.any("/waiting", waiting),
  cleanup: Route.get("/cleanup", slowCleanup),
  upload: Route.post("/upload", Effect.as(Body.bytes({ limit: "10 MB" }), Response.empty()).pipe(Effect.onExit(ended))),
  parts: Route.post(
    "/parts",
    Effect.as(
      Stream.runForEach(Body.stream(), () => note("part")),
      Response.empty()
    ).pipe(Effect.onExit(ended))
  ),
  stubborn: Route.get(
    "/stubborn",
    Effect.uninterruptible(
      Effect.gen(function* () {
        yield* note("started")
        yield* Effect.sleep("50 millis")
        yield* note("finished")
        return Response.text("late")
      })
    )
  ),
  probe: Route.get("/probe", Effect.succeed(Response.text("probe")))
})

type Row = readonly [name: string, bytes: string, wait: string, wanted: ReadonlyArray<string>]

const rows: ReadonlyArray<Row> = [
  [
    "that waits is interrupted, and its finalizers run",
    get("/waiting"),
    "started",
    ["started", "the client left", "finalized"]
  ],
  [
    "that waits with a body unread is interrupted",
    post("/waiting", "abc"),
    "started",
    ["started", "the client left", "finalized"]
  ],
  ["that cleans up is let to", get("/cleanup"), "started", ["started", "cleaned"]],
  ["that cannot be interrupted ends by itself", get("/stubborn"), "started", ["started", "finished"]],
  [
    "that reads a stream is interrupted",
    post("/parts", "abc").replace("Length: 3", "Length: 4"),
    "part",
    ["part", "the client left"]
  ]
]

for (const [way, leave] of [
  ["by a reset", "destroy"],
  ["by the end of its side", "end"]
] as const) {
  describe(`a client leaves ${way}: a handler`, () => {
    for (const [name, bytes, wait, wanted] of rows) {
      both(name, app, ({ client, connect, logs, wire }) =>
        Effect.gen(function* () {
          events.length = 0
          yield* wire.send(bytes)
          yield* until(() => events.includes(wait))
          wire.socket[leave]()
          yield* until(() => events.length === wanted.length)
          assert.deepStrictEqual(events, wanted)
          assert.deepStrictEqual(
            logs.filter((line) => !line.startsWith("Debug")),
            []
          )
          // The server goes on.
          const other = yield* connect
          yield* other.send(get("/probe"))
          assert.strictEqual((yield* other.answer()).status, 200)
          void client
        })
      )
    }

    both("that reads a body ends without it", app, ({ logs, wire }) =>
      Effect.gen(function* () {
        events.length = 0
        yield* wire.send("POST /upload HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000000\r\n\r\n")
        yield* wire.until("100 Continue\r\n\r\n")
        yield* wire.send(Buffer.alloc(1_000_000))
        wire.socket[leave]()
        yield* until(() => events.length === 1)
        assert.deepStrictEqual(events, ["the client left"])
        assert.deepStrictEqual(
          logs.filter((line) => !line.startsWith("Debug")),
          []
        )
      })
    )
  })
}
