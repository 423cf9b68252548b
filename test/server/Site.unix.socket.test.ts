/**
 * Unix sockets: who may connect, whose files give way, what is left when the server stops.
 */
import * as Fs from "node:fs"
import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { ServeError } from "effect/http/HttpServerError"
import * as Scope from "effect/Scope"
import * as App from "../../src/App.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Server from "../../src/server/Server.ts"
import * as Site from "../../src/server/Site.ts"
import * as Wire from "../conformance/wire.ts"
import * as Folder from "../folder.ts"
import { run } from "../run.ts"
import { get, until } from "./both.ts"
import { start } from "./started.ts"

const remote = Effect.map(Request.remote, (address) => Response.text(String(address)))
const url = Effect.map(Request.url, String)
const app = App.make({
  home: Route.get("/", Response.text("home")),
  remote: Route.get("/remote", remote),
  url: Route.get(
    "/url",
    Effect.map(url, (url) => Response.text(url))
  )
})

const folder = Folder.make()
let count = 0
/** A path that is free. */
const fresh = (): string => folder.at(`${count++}.sock`)

/** A connection to a unix socket, or the code of the error. */
const connect = (path: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<Net.Socket, string>((resume) => {
        const socket = Net.connect({ path })
        socket.once("connect", () => resume(Effect.succeed(socket)))
        socket.once("error", ({ code }: NodeJS.ErrnoException) => resume(Effect.fail(String(code))))
      }),
      (socket) => Effect.sync(() => socket.destroy())
    ),
    Wire.over
  )

const body = Effect.fnUntraced(function* (path: string, target = "/") {
  const wire = yield* connect(path)
  yield* wire.send(get(target))
  return (yield* wire.answer()).body.toString()
})

const modeOf = (path: string): string => (Fs.statSync(path).mode & 0o777).toString(8)

/** A file of a socket on which nobody listens. */
const leaveBehind = (path: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const server = Net.createServer().listen(`${path}.first`, () => {
      Fs.renameSync(`${path}.first`, path)
      server.close(() => resume(Effect.void))
    })
  })

describe("a unix socket", () => {
  it.live("serves, and its address is a value", () =>
    Effect.gen(function* () {
      const path = fresh()
      const server = yield* Server.start(app, { sites: [Site.unix({ path })] })
      assert.deepStrictEqual(server.addresses, [{ url: `unix:${path}`, path, host: undefined, port: undefined }])
      assert.strictEqual(server.url, `unix:${path}`)
      assert.strictEqual(yield* body(path), "home")
      assert.strictEqual(server.connections(), 1)
    })
  )

  it.live("has no address of a client, and its URLs are those of the Host field", () =>
    Effect.gen(function* () {
      const path = fresh()
      yield* Server.start(app, { sites: [Site.unix({ path })] })
      assert.strictEqual(yield* body(path, "/remote"), "undefined")
      assert.strictEqual(yield* body(path, "/url"), "http://a/url")
    })
  )

  it.live("is served to curl", () =>
    Effect.gen(function* () {
      const path = fresh()
      yield* Server.start(app, { sites: [Site.unix({ path })] })
      const { output } = yield* run("curl", ["-sS", "--unix-socket", path, "http://localhost/url"], folder.path)
      assert.strictEqual(output, "http://localhost/url")
    })
  )

  for (const mode of [0o600, 0o660, 0o777]) {
    it.live(`has the mode ${mode.toString(8)} when it appears`, () =>
      Effect.gen(function* () {
        const path = fresh()
        const seen = new Set<string>()
        const watcher = Fs.watch(folder.path, (_, name) => {
          if (folder.at(String(name)) === path && Fs.existsSync(path)) seen.add(modeOf(path))
        })
        yield* Effect.addFinalizer(() => Effect.sync(() => watcher.close()))
        yield* Server.start(app, { sites: [Site.unix({ path, mode })] })
        yield* until(() => seen.size > 0)
        assert.deepStrictEqual([...seen], [mode.toString(8)])
        assert.strictEqual(modeOf(path), mode.toString(8))
      })
    )
  }

  it.live("leaves no file behind, the one it was made with neither", () =>
    Effect.gen(function* () {
      const own = Folder.make()
      const { server, stop } = yield* start(app, { sites: [Site.unix({ path: own.at("a.sock") })] })
      assert.deepStrictEqual(Fs.readdirSync(own.path), ["a.sock"])
      yield* Fiber.join(yield* stop)
      assert.deepStrictEqual([Fs.readdirSync(own.path), server.node.listening], [[], false])
    })
  )

  it.live("is gone as soon as the server begins to stop, while an answer is still on its way", () =>
    Effect.gen(function* () {
      const path = fresh()
      const slow = App.make({ slow: Route.get("/", Effect.delay(Effect.succeed(Response.text("slow")), "200 millis")) })
      const { received, stop } = yield* start(slow, { sites: [Site.unix({ path })] })
      const wire = yield* connect(path)
      yield* wire.send(get("/"))
      yield* received(get("/").length)
      const stopping = yield* stop
      yield* until(() => !Fs.existsSync(path))
      const answer = yield* wire.answer()
      assert.deepStrictEqual([answer.status, answer.headers.connection], [200, "close"])
      yield* Fiber.join(stopping)
    })
  )

  it.live("takes the place of a file that was left behind", () =>
    Effect.gen(function* () {
      const path = fresh()
      yield* leaveBehind(path)
      assert.strictEqual(yield* Effect.flip(connect(path)), "ECONNREFUSED")
      yield* Server.start(app, { sites: [Site.unix({ path })] })
      assert.strictEqual(yield* body(path), "home")
    })
  )

  it.live("leaves the file of a server that has taken its place", () =>
    Effect.gen(function* () {
      const path = fresh()
      const first = yield* start(app, { sites: [Site.unix({ path })] })
      Fs.renameSync(path, `${path}.moved`)
      yield* Server.start(app, { sites: [Site.unix({ path })] })
      yield* Fiber.join(yield* first.stop)
      assert.strictEqual(yield* body(path), "home")
    })
  )
})

describe("an abstract socket", () => {
  for (const sign of ["@", "\0"]) {
    it.live(`has a name after ${JSON.stringify(sign)}, and no file`, () =>
      Effect.gen(function* () {
        const name = `effect-web-${process.pid}-${count++}`
        const server = yield* Server.start(app, { sites: [Site.unix({ path: sign + name })] })
        assert.strictEqual(server.url, `unix:@${name}`)
        const { output } = yield* run("curl", ["-sS", "--abstract-unix-socket", name, "http://a/"], folder.path)
        assert.strictEqual(output, "home")
      })
    )
  }
})

describe("a unix socket that cannot be", () => {
  const failing = (path: string) =>
    Effect.map(Effect.flip(Effect.scoped(Server.start(app, { sites: [Site.unix({ path })] }))), (error) => {
      assert.instanceOf(error, ServeError)
      return error.message
    })

  it.live("because somebody listens there: that one goes on", () =>
    Effect.gen(function* () {
      const path = fresh()
      yield* Server.start(app, { sites: [Site.unix({ path })] })
      const wanted = `Cannot listen on ${path}: somebody listens there; stop that, or give another \`path\``
      assert.strictEqual(yield* failing(path), wanted)
      assert.strictEqual(yield* body(path), "home")
    })
  )

  const foreign: ReadonlyArray<readonly [what: string, make: (path: string) => void]> = [
    ["a file", (path) => Fs.writeFileSync(path, "precious")],
    ["a folder", (path) => Fs.mkdirSync(path)],
    ["a link to nothing", (path) => Fs.symlinkSync("/nowhere", path)]
  ]
  for (const [what, make] of foreign) {
    it.live(`because ${what} has its name: that stays`, () =>
      Effect.gen(function* () {
        const path = fresh()
        make(path)
        const before = Fs.lstatSync(path)
        const wanted = `Cannot listen on ${path}: a file that is no socket has this name; give another \`path\``
        assert.strictEqual(yield* failing(path), wanted)
        const { ino, mode } = Fs.lstatSync(path)
        assert.deepStrictEqual([ino, mode], [before.ino, before.mode])
      })
    )
  }

  const paths: ReadonlyArray<readonly [path: string, why: string]> = [
    [folder.at("none/a.sock"), "its folder does not exist; make it"],
    ["/proc/a.sock", "its folder does not exist; make it"],
    [folder.at("x".repeat(100)), "the path is too long for a socket; give a shorter one"]
  ]
  for (const [path, why] of paths) {
    it.live(`because ${why}`, () =>
      Effect.map(failing(path), (message) => assert.strictEqual(message, `Cannot listen on ${path}: ${why}`))
    )
  }

  it.live("leaves nothing behind, of the sites before it neither", () =>
    Effect.gen(function* () {
      const own = Folder.make()
      const sites = [Site.unix({ path: own.at("a.sock") }), Site.unix({ path: own.at("none/b.sock") })] as const
      const scope = yield* Scope.make()
      yield* Effect.flip(Scope.provide(Server.start(app, { sites: [...sites] }), scope))
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(Fs.readdirSync(own.path), [])
    })
  )

  const wrong: ReadonlyArray<readonly [Site.UnixOptions, RegExp]> = [
    [{ path: "" }, /that is no path/],
    [{ path: "@" }, /that is no path/],
    [{ path: "a\0b" }, /that is no path/],
    [{ path: "a", mode: 0o1777 }, /is no mode/],
    [{ path: "@a", mode: 0o600 }, /has no mode/]
  ]
  for (const [options, message] of wrong) {
    it(`throws for ${JSON.stringify(options)}`, () => assert.throws(() => Site.unix(options), message))
  }
})
