/**
 * A server as a scoped resource and as a Layer: how it starts, where it listens, what it leaves behind.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as App from "../../src/App.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Server from "../../src/server/Server.ts"
import * as Site from "../../src/server/Site.ts"
import { get, until } from "./both.ts"
import { connectTo, start, tryConnect } from "./started.ts"

const app = App.make({ home: Route.get("/", Effect.succeed(Response.text("home"))) })
const local = { host: "127.0.0.1", port: 0 }

const fetched = (url: string) => Effect.promise(() => fetch(url).then((response) => response.text()))

describe("a server", () => {
  it.live("listens when it has started, at the URL that it gives", () =>
    Effect.gen(function* () {
      const server = yield* Server.start(app, local)
      assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/)
      assert.strictEqual(yield* fetched(server.url), "home")
      assert.deepStrictEqual(
        server.addresses.map(({ host, url }) => [host, url]),
        [["127.0.0.1", server.url]]
      )
    })
  )

  it.live("listens on all interfaces unless told otherwise, and gives a URL for this machine", () =>
    Effect.gen(function* () {
      const server = yield* Server.start(app, { port: 0 })
      const { port = 0 } = server.addresses[0] as Site.Address
      assert.strictEqual(yield* fetched(server.url), "home")
      assert.strictEqual(yield* fetched(`http://127.0.0.1:${port}`), "home")
    })
  )

  it.live("listens on several sites, and counts the connections of all", () =>
    Effect.gen(function* () {
      const server = yield* Server.start(app, { sites: [Site.tcp(local), Site.tcp(local)] })
      const ports = server.addresses.map(({ port = 0 }) => port)
      assert.strictEqual(new Set(ports).size, 2)
      for (const port of ports) {
        const wire = yield* connectTo(port)
        yield* wire.send(get("/"))
        assert.strictEqual((yield* wire.answer()).body.toString(), "home")
      }
      assert.strictEqual(server.connections(), 2)
    })
  )

  it.live("ends with its scope: nothing listens and nothing is connected", () =>
    Effect.gen(function* () {
      const { connect, server, stop } = yield* start(app)
      const wire = yield* connect
      yield* wire.send(get("/"))
      yield* wire.answer()
      yield* Fiber.join(yield* stop)
      assert.strictEqual(yield* wire.closed, "")
      assert.deepStrictEqual([server.connections(), server.node.listening], [0, false])
      assert.strictEqual(yield* Effect.flip(tryConnect(server.addresses[0]?.port ?? 0)), "ECONNREFUSED")
    })
  )

  it.live("starts again on the same port", () =>
    Effect.gen(function* () {
      const first = yield* start(app)
      const port = first.server.addresses[0]?.port ?? 0
      yield* Fiber.join(yield* first.stop)
      for (const _ of [1, 2, 3]) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { url } = yield* Server.start(app, { host: "127.0.0.1", port })
            assert.strictEqual(yield* fetched(url), "home")
          })
        )
      }
    })
  )

  it.live("stops when the fiber that started it is interrupted", () =>
    Effect.gen(function* () {
      const port = yield* Deferred.make<number>()
      const program = Effect.gen(function* () {
        const { addresses } = yield* Server.start(app, local)
        yield* Deferred.succeed(port, addresses[0]?.port ?? 0)
        return yield* Effect.never
      })
      const fiber = yield* Effect.forkChild(Effect.scoped(program))
      const taken = yield* Deferred.await(port)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* Effect.flip(tryConnect(taken)), "ECONNREFUSED")
    })
  )
})

describe("a server that cannot start", () => {
  it.live("fails with a ServeError that says where and why", () =>
    Effect.gen(function* () {
      const { server } = yield* start(app)
      const { port = 0 } = server.addresses[0] as Site.Address
      const error = yield* Effect.flip(Server.start(app, { host: "127.0.0.1", port }))
      assert.instanceOf(error, ServeError)
      assert.strictEqual(
        error.message,
        `Cannot listen on 127.0.0.1:${port}: the port is in use; stop what listens there, or give another \`port\` (0 takes a free one)`
      )
    })
  )

  it.live("says so of a host that is not of this machine", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Server.start(app, { host: "192.0.2.1", port: 0 }))
      assert.match(error.message, /^Cannot listen on 192\.0\.2\.1:0: this machine has no such address/)
    })
  )

  it.live("frees the sites that it had", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* start(app), yield* start(app)]
      const [free, taken] = [first, second].map(({ server }) => server.addresses[0]?.port ?? 0) as [number, number]
      yield* Fiber.join(yield* first.stop)
      const sites = [Site.tcp({ host: "127.0.0.1", port: free }), Site.tcp({ host: "127.0.0.1", port: taken })] as const
      assert.instanceOf(yield* Effect.flip(Effect.scoped(Server.start(app, { sites }))), ServeError)
      const again = yield* Server.start(app, { host: "127.0.0.1", port: free })
      assert.strictEqual(yield* fetched(again.url), "home")
    })
  )

  for (const port of [-1, 65536, 1.5, Number.NaN]) {
    it(`throws for the port ${port}`, () =>
      assert.throws(
        () => Site.tcp({ port }),
        TypeError,
        `Site.tcp: ${port} is no port; use 0 to 65535, 0 for a free one`
      ))
  }
})

class First extends Context.Service<First, string>()("test/First") {}
class Second extends Context.Service<Second, string>()("test/Second") {}

/** Two services, the second of which needs the first; they write down when they are built and released. */
const services = (events: Array<string>) => {
  const noted = (name: string) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        events.push(`${name} built`)
        return name
      }),
      () => Effect.sync(() => void events.push(`${name} released`))
    )
  const first = Layer.effect(First, noted("first"))
  const second = Layer.effect(Second, Effect.andThen(First, noted("second")))
  return Layer.merge(first, Layer.provide(second, first))
}

describe("a server as a Layer", () => {
  const gate = Deferred.makeUnsafe<void>()
  let asked = false
  const using = Effect.gen(function* () {
    const before = yield* Second
    asked = true
    yield* Deferred.await(gate)
    return Response.text(`${before} and ${yield* First}`)
  })
  const needy = App.make({
    both: Route.get("/both", using),
    one: Route.get(
      "/one",
      Effect.map(First, (first) => Response.text(first))
    )
  })

  it.live("gives its services to the handlers, and releases them when the last answer is out", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const scope = yield* Scope.make()
      const layer = Layer.provide(Server.layer(needy, local), services(events))
      const server = Context.get(yield* Layer.buildWithScope(layer, scope), Server.Server)
      assert.strictEqual(yield* fetched(`${server.url}/one`), "first")
      const wire = yield* connectTo(server.addresses[0]?.port ?? 0)
      yield* wire.send(get("/both"))
      yield* until(() => asked)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* Effect.yieldNow
      assert.deepStrictEqual(events, ["first built", "second built"])
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* wire.answer()).body.toString(), "second and first")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(events, ["first built", "second built", "second released", "first released"])
    })
  )

  it.live("that cannot listen releases what was built, backwards", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const { server } = yield* start(app)
      const { port = 0 } = server.addresses[0] as Site.Address
      const layer = Layer.provide(Server.layer(needy, { host: "127.0.0.1", port }), services(events))
      const exit = yield* Effect.exit(Effect.scoped(Layer.build(layer)))
      assert.instanceOf(Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined, ServeError)
      assert.deepStrictEqual(events, ["first built", "second built", "second released", "first released"])
    })
  )
})
