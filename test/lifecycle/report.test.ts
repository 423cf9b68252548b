/**
 * The line of a stop as the loggers of Effect show it: each of its numbers can be read, whatever the logger.
 */
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as TestConsole from "effect/testing/TestConsole"
import type { Report } from "../../src/server/internal/drain/DrainAccount.ts"
import * as DrainReport from "../../src/server/internal/drain/DrainReport.ts"

const none = { finished: 0, onDrain: 0, interrupted: 0, destroyed: 0, aborted: 0 }

const report: Report = {
  duration: 2034.4,
  requests: { ...none, finished: 1, onDrain: 1, interrupted: 3 },
  eventStreams: none,
  webSockets: { ...none, finished: 2 },
  background: { ...none, finished: 1 },
  connections: 1,
  routes: [
    { route: "report", ...none, interrupted: 2, oldest: 2300 },
    { route: "GET /x/{id}", ...none, finished: 1, interrupted: 1, oldest: 90 }
  ],
  stuck: [{ route: "task mail", age: 4003 }]
}

const routes = "report: 2 interrupted, 2.3 s; GET /x/{id}: 1 finished, 1 interrupted, 90 ms"

const loggers = {
  "of its own": [Logger.defaultLogger, `'drain.routes': '${routes}'`],
  pretty: [Logger.consolePretty({ colors: false }), `drain.routes: ${routes}`],
  logfmt: [Logger.consoleLogFmt, `drain.requests.interrupted=3 drain.webSockets.finished=2`],
  JSON: [Logger.consoleJson, `"drain.routes":"${routes}"`]
} as const

describe("the report", () => {
  for (const [name, [logger, wanted]] of Object.entries(loggers)) {
    it.effect(`can be read in a log ${name === "of its own" ? "as Effect has it by itself" : `of ${name}`}`, () =>
      Effect.gen(function* () {
        yield* Effect.provide(DrainReport.log(report), Logger.layer([logger]))
        const shown = (part: unknown) => (typeof part === "string" ? part : inspect(part))
        const text = (yield* TestConsole.logLines).map(shown).join(" ")
        assert.include(text, wanted)
        assert.include(text, "; task mail still runs after 4.0 s")
        assert.notInclude(text, "[Object]")
      })
    )
  }

  it("is a sentence", () => {
    assert.strictEqual(
      DrainReport.text(report),
      "Stopped in 2.0 s: 1 of 5 requests finished, 1 interrupted by onDrain, 3 interrupted; 2 of 2 WebSockets closed; " +
        "1 of 1 background task finished; 1 connection destroyed; did not finish: 2 of report after up to 2.3 s, " +
        "GET /x/{id} after 90 ms; task mail still runs after 4.0 s"
    )
  })
})
