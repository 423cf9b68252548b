/**
 * A real server on a real port, with more work for its one thread than that can do.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as App from "../../src/App.ts"
import * as Health from "../../src/handlers/Health.ts"
import * as Overload from "../../src/middleware/Overload.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Server from "../../src/server/Server.ts"
import { flood, quantile, type Result } from "./flooding.ts"

/** Ten milliseconds of this thread's work, however much else the machine has to do. */
const burn = (): void => {
  const worked = () => {
    const { system, user } = process.threadCpuUsage()
    return system + user
  }
  const end = worked() + 10_000
  while (worked() < end);
}

const work = {
  "as a plain function": Route.get("/work", () => {
    burn()
    return Response.text("done")
  }),
  "in a fiber, after a wait": Route.get(
    "/work",
    Effect.map(Effect.sleep("5 millis"), () => {
      burn()
      return Response.text("done")
    })
  )
}

const flooded = <E, T extends App.Routes, Added>(app: App.Servable<E, never, T, Added>) =>
  Effect.gen(function* () {
    const server = yield* Server.start(app, {
      port: 0,
      host: "127.0.0.1",
      shutdownTimeout: "1 second"
    })
    return yield* flood(Number(new URL(server.url).port), { connections: 60, seconds: 5 })
  }).pipe(Effect.scoped, Effect.provide(Logger.layer([])))

const show = ({ answered, health, ok, refused }: Result) =>
  `${answered} answered, half within ${quantile(ok, 0.5).toFixed(0)} ms, three quarters within ${quantile(ok, 0.75).toFixed(0)} ms; ` +
  `${refused.length} refused; health: three quarters within ${quantile(health, 0.75).toFixed(0)} ms`

describe("60 clients that ask for 10 milliseconds of work again and again", () => {
  it.live.each(Object.entries(work))(
    "%s: with Overload who is answered is answered sooner, and health too",
    ([name, route]) =>
      Effect.gen(function* () {
        const app = App.make({ work: route, health: Route.mount("/health", Health.make()) })
        const before = yield* flooded(app)
        const after = yield* flooded(app.pipe(App.use(Overload.make({ eventLoopDelay: "50 millis" }))))
        const said = `without: ${show(before)}\nwith: ${show(after)}`
        assert.deepStrictEqual([before.other, after.other, before.refused.length], [0, 0, 0], said)
        assert.isAbove(after.refused.length, 0, said)
        assert.isBelow(quantile(after.ok, 0.5), quantile(before.ok, 0.5) * 0.7, said)
        // What is behind a wait leaves room for others between its pieces.
        if (name === "as a plain function") {
          assert.isBelow(quantile(after.health, 0.75), quantile(before.health, 0.75) * 0.7, said)
        }
        // And what can be done is done.
        assert.isAbove(after.answered, before.answered / 5, said)
      })
  )
})
