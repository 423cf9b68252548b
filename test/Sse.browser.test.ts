/**
 * Event streams in a real browser: its EventSource comes again by itself and misses nothing.
 */
import * as ChildProcess from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as App from "../src/App.ts"
import { html } from "../src/Html.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sse from "../src/Sse.ts"
import * as Browser from "./browser.ts"
import { until } from "./server/both.ts"
import { start } from "./server/started.ts"

const isInstalled = ChildProcess.spawnSync("chromium", ["--version"]).status === 0

const Note = Schema.TaggedStruct("Note", { n: Schema.Int, text: Schema.String })

/** What the page remembers. */
declare const page: {
  readonly opened: () => number
  readonly seen: ReadonlyArray<{ readonly n: number; readonly text: string; readonly id: string }>
}

const listen = html`<!doctype html><title>Notes</title>
<script>
  const seen = []
  let opens = 0
  const source = new EventSource("/events")
  source.addEventListener("open", () => opens++)
  source.addEventListener("Note", (event) => seen.push({ ...JSON.parse(event.data), id: event.lastEventId }))
  source.addEventListener("reset", () => seen.push({ n: -1, text: "reset", id: "" }))
  globalThis.page = { seen, opened: () => opens }
</script>`

const make = Effect.gen(function* () {
  const notes = yield* Sse.channel({ schema: Note })
  let requests: ReadonlyArray<string | undefined> = []
  const events = Effect.gen(function* () {
    requests = [...requests, yield* Sse.lastEventId]
    return Sse.response(yield* notes.subscribe, { retry: "50 millis" })
  })
  const app = App.make({ home: Route.get("/", Response.html(listen)), events: Route.get("/events", events) })
  return { app, notes, requests: () => requests }
})

describe.runIf(isInstalled)("with chromium", () => {
  it.live(
    "EventSource is open at once, comes again when it was cut, to a server that was started again too, and misses none",
    () =>
      Effect.gen(function* () {
        const { app, notes, requests } = yield* make
        const first = yield* start(app)
        const { server } = first
        const browser = yield* Browser.start()
        const publish = (...all: ReadonlyArray<number>) =>
          Effect.forEach(all, (n) => notes.publish({ _tag: "Note", n, text: `é\r\n${n}` }))
        const opened = Effect.fnUntraced(function* (wanted: number) {
          let count = 0
          while (count < wanted) count = yield* browser.run(() => page.opened())
        })
        yield* browser.open(server.url)
        yield* opened(1)
        // Nothing has been sent to it: it knows its place all the same.
        server.node.closeAllConnections()
        const ids = [...(yield* publish(1, 2))]
        yield* opened(2)
        ids.push(...(yield* publish(3)))
        yield* until(() => requests().length === 2)
        server.node.closeAllConnections()
        ids.push(...(yield* publish(4, 5)))
        yield* opened(3)
        ids.push(...(yield* publish(6)))
        yield* Fiber.join(yield* first.stop)
        ids.push(...(yield* publish(7)))
        yield* start(app, { port: server.addresses[0]?.port ?? 0 })
        ids.push(...(yield* publish(8)))
        let seen: typeof page.seen = []
        while (seen.length < 8) seen = yield* browser.run(() => page.seen)
        assert.deepStrictEqual(
          seen,
          ids.map((id, at) => ({ _tag: "Note", n: at + 1, text: `é\r\n${at + 1}`, id }))
        )
        assert.strictEqual(requests()[0], undefined)
        assert.strictEqual(requests().filter((id) => id === undefined).length, 1)
        assert.deepStrictEqual(browser.errors, [])
      }).pipe(Effect.scoped),
    60_000
  )
})
