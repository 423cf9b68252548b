/**
 * Options of a server that are wrong are said when it starts, by name and with the cure.
 */
import { assert, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as App from "../../src/App.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Server from "../../src/server/Server.ts"
import * as Site from "../../src/server/Site.ts"

const app = App.make({ home: Route.get("/", Response.text("home")) })
const wrong = "five" as "5 seconds"
const noTime = (name: string) => `${name}: "five" is no time; write "5 seconds", or milliseconds`
const names = [
  "drainDelay",
  "shutdownTimeout",
  "interruptGrace",
  "headersTimeout",
  "keepAliveTimeout",
  "requestTimeout",
  "bodyTimeout",
  "writeTimeout"
] as const

const rows: ReadonlyArray<readonly [string, Server.Options]> = [
  ...names.map((name) => [noTime(name), { [name]: wrong }] as const),
  [
    "port beside sites says nothing: give it to one of them, as Site.tcp({ port: ... })",
    { port: 0, sites: [Site.tcp({ port: 0 })] }
  ]
]

for (const [message, options] of rows) {
  it.live(message, () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(
        Effect.scoped(Server.start(app, options.sites ? options : { port: 0, ...options }))
      )
      assert.isTrue(Exit.isFailure(exit))
      if (Exit.isFailure(exit)) assert.include(Cause.pretty(exit.cause), `TypeError: ${message}`)
    })
  )
}
