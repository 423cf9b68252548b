/**
 * slowhttptest in its four modes, while healthy clients ask: their p99 stays under twice what it was without.
 *
 * A real process against a server of its own; each mode is bounded to some seconds. Noise of the machine must not decide: the time is
 * the best of some rounds, each with a p99 before and a p99 during, and what is under a floor of some milliseconds counts as the floor.
 */
import { spawn } from "node:child_process"
import * as Http from "node:http"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Server from "../../src/server/Server.ts"
import { recorder } from "../server/both.ts"

const app = App.make({
  home: Route.get("/", Response.text("home")),
  large: Route.get("/large", Response.bytes(new Uint8Array(1024 * 1024))),
  sum: Route.post(
    "/sum",
    Effect.map(Body.bytes(), (bytes) => Response.text(String(bytes.length)))
  )
})

/** How one client asks, again and again on one connection, in milliseconds an answer. */
const asking = (agent: Http.Agent, url: string): Effect.Effect<number> =>
  Effect.callback((resume) => {
    const begin = performance.now()
    const done = () => resume(Effect.succeed(performance.now() - begin))
    Http.get(url, { agent }, (response) => response.resume().on("end", done)).on("error", (error) =>
      resume(Effect.die(error))
    )
  })

/** The p99 of 400 answers, a few milliseconds apart. */
const p99 = (agent: Http.Agent, url: string): Effect.Effect<number> =>
  Effect.map(
    Effect.replicateEffect(Effect.andThen(Effect.sleep("2 millis"), asking(agent, url)), 400),
    (times) => times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] as number
  )

/** Runs the tool until the scope closes. */
const slowhttptest = (args: ReadonlyArray<string>): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof spawn>>((resume) => {
      const child = spawn("slowhttptest", args, { stdio: "ignore" })
      child.once("error", (error) => resume(Effect.die(error)))
      child.once("spawn", () => resume(Effect.succeed(child)))
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  ).pipe(Effect.andThen(Effect.sleep("1500 millis")))

const connections = ["-c", "300", "-r", "300", "-l", "30", "-p", "5"]

const modes: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
  ["slow heads", "/", ["-H", "-i", "1", "-x", "24"]],
  ["slow bodies", "/sum", ["-B", "-i", "1", "-s", "8192", "-x", "10"]],
  ["many ranges", "/large", ["-R", "-t", "GET", "-a", "10", "-b", "3000"]],
  ["slow reads", "/large", ["-X", "-w", "10", "-y", "20", "-n", "1", "-z", "32"]]
]

/** In milliseconds: less is as good. */
const floor = 10

/** So often it is tried at most. */
const rounds = 6

const measured = Effect.fnUntraced(function* (path: string, mode: ReadonlyArray<string>) {
  const server = yield* Server.start(app, { host: "127.0.0.1", port: 0 })
  let attacking = -1
  server.node.on("connection", () => void attacking++)
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => new Http.Agent({ keepAlive: true, maxSockets: 1 })),
    (agent) => Effect.sync(() => agent.destroy())
  )
  yield* p99(agent, server.url)
  let [before, during] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  // What an attack does shows in every round, what the machine does in some.
  for (let round = 0; round < rounds && during >= 2 * Math.max(floor, before); round++) {
    before = Math.min(before, yield* p99(agent, server.url))
    const attack = slowhttptest([...mode, ...connections, "-u", `${server.url}${path}`])
    during = Math.min(during, yield* Effect.scoped(Effect.andThen(attack, p99(agent, server.url))))
  }
  return { before: Math.max(floor, before), during, attacking }
})

describe("under slowhttptest", () => {
  for (const [name, path, mode] of modes) {
    it.live(
      `with ${name} a healthy client is served as before`,
      () => {
        const { layer, logs } = recorder()
        return Effect.gen(function* () {
          const { attacking, before, during } = yield* measured(path, mode)
          assert.isAbove(attacking, 200, "the connections of slowhttptest")
          assert.isBelow(during, 2 * before, "the p99 of the healthy client")
          assert.deepStrictEqual(
            logs.filter((line) => /^(?:Error|Fatal)/.test(line)),
            []
          )
        }).pipe(Effect.scoped, Effect.provide(layer))
      },
      60_000
    )
  }
})
