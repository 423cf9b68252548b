/**
 * Sockets that a program is started with, and what a program says of sites that cannot be.
 */
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Site from "../../src/server/Site.ts"
import * as Folder from "../folder.ts"
import { run } from "../run.ts"
import * as Certificates from "./certificates.ts"
import * as Child from "./child.ts"

const program = Path.join(import.meta.dirname, "programs", "sites.ts")
const flags = ["--conditions=effect-web-source", program]
const folder = Folder.make()

/** A program that inherits listening sockets from 3 on, as systemd has it. */
const inherit = Effect.fnUntraced(function* (
  places: ReadonlyArray<Net.ListenOptions>,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
) {
  const servers = places.map((place) => Net.createServer().listen(place))
  yield* Effect.promise(() => Promise.all(servers.map((server) => once(server, "listening"))))
  // Its number is only to be known in the process itself.
  const script = `LISTEN_PID=$$ exec "$0" "$@"`
  const handles = servers.map(
    (server) => (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd
  )
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn("sh", ["-c", script, process.execPath, ...flags, ...args], {
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe", ...handles]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  let output = ""
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk) => (output += chunk))
  const addresses = servers.map((server) => server.address())
  const ended = once(child, "close").then(([code]) => code as number)
  const ready = new Promise<void>((resolve) => {
    child.stdout!.on("data", () => output.includes("quit)") && resolve())
    void ended.then(() => resolve())
  })
  yield* Effect.promise(() => ready)
  // Only the program listens now.
  for (const server of servers) server.close()
  return { addresses, kill: () => child.kill("SIGTERM"), ended: Effect.promise(() => ended), output: () => output }
})

const curl = (...args: ReadonlyArray<string>) => run("curl", ["-sS", ...args], folder.path)
const tcp = { host: "127.0.0.1", port: 0 }
const urlOf = (address: unknown) => `http://127.0.0.1:${(address as Net.AddressInfo).port}`

describe("a descriptor", () => {
  it.live("of TCP is served, its address known, and closed with the server", () =>
    Effect.gen(function* () {
      const { addresses, ended, kill, output } = yield* inherit([tcp], ["fd", "3"])
      const url = urlOf(addresses[0])
      assert.include(output(), `Running on ${url} =`)
      assert.strictEqual((yield* curl(url)).output, "home")
      kill()
      assert.strictEqual(yield* ended, 0)
      assert.strictEqual((yield* curl(url)).code, 7)
    })
  )

  for (const wrong of [-1, 1.5, Number.NaN]) {
    it(`${wrong} is refused where it is declared`, () => assert.throws(() => Site.fd(wrong), /is no descriptor/))
  }
})

describe("the sockets of systemd", () => {
  it.live("are served, all of them", () =>
    Effect.gen(function* () {
      const { addresses, output } = yield* inherit([tcp, tcp], ["systemd"], { LISTEN_FDS: "2" })
      for (const address of addresses) {
        assert.include(output(), `Running on ${urlOf(address)} =`)
        assert.strictEqual((yield* curl(urlOf(address))).output, "home")
      }
    })
  )

  it.live("are picked by their name", () =>
    Effect.gen(function* () {
      const env = { LISTEN_FDS: "2", LISTEN_FDNAMES: "admin:web" }
      const { addresses, output } = yield* inherit([tcp, tcp], ["systemd", "web"], env)
      assert.include(output(), `Running on ${urlOf(addresses[1])} =`)
      assert.notInclude(output(), urlOf(addresses[0]))
    })
  )

  it.live("of unix are served, and their file stays for systemd", () =>
    Effect.gen(function* () {
      const path = folder.at("activated.sock")
      const kept = folder.at("kept.sock")
      const { ended, kill, output } = yield* Effect.tap(
        inherit([{ path }], ["systemd"], { LISTEN_FDS: "1" }),
        // The test's own server, which made it, would remove it.
        () => Effect.sync(() => Fs.existsSync(path) && Fs.renameSync(path, kept))
      )
      assert.include(output(), "Running on unix:(descriptor 3) =")
      kill()
      assert.strictEqual(yield* ended, 0)
    })
  )
})

describe("a program on a site that cannot be says it in one line and ends with 1", () => {
  const systemd = "Cannot listen on the sockets of systemd: "
  const none = `${systemd}systemd has handed over none to this process; start it by a .socket unit, or give another site\n`
  const pair = Certificates.selfSigned("localhost", "secret")
  const rows: ReadonlyArray<readonly [kind: string, argument: string, wanted: string]> = [
    ["systemd", "", none],
    [
      "fd",
      "99",
      "Cannot listen on descriptor 99: that is no listening socket; give the descriptor of one that the process is started with\n"
    ],
    ["unix", "/nowhere/a.sock", "Cannot listen on /nowhere/a.sock: its folder does not exist; make it\n"],
    ["tls", JSON.stringify(pair), "Cannot listen on TLS: the key is encrypted; give its `passphrase`\n"],
    [
      "tls",
      JSON.stringify({ ...pair, passphrase: "guess" }),
      "Cannot listen on TLS: the passphrase of the key is wrong\n"
    ]
  ]
  for (const [kind, argument, wanted] of rows) {
    it.live(wanted.trim(), () =>
      Effect.gen(function* () {
        const child = yield* Child.run("sites.ts", kind, argument)
        assert.strictEqual(yield* child.ended, 1)
        assert.deepStrictEqual([child.output(), child.errors()], ["", wanted])
      })
    )
  }

  it.live("names the name that systemd has not handed over", () =>
    Effect.gen(function* () {
      const { ended, output } = yield* inherit([tcp], ["systemd", "web"], { LISTEN_FDS: "1", LISTEN_FDNAMES: "admin" })
      assert.strictEqual(yield* ended, 1)
      const why = `${systemd}none is named "web"; its .socket unit has to say FileDescriptorName=web\n`
      assert.strictEqual(output(), why)
    })
  )

  it.live("does not take what its parent was given", () =>
    Effect.gen(function* () {
      const env = { ...process.env, LISTEN_FDS: "1", LISTEN_PID: String(process.pid) }
      const child = ChildProcess.spawnSync(process.execPath, [...flags, "systemd"], { env, encoding: "utf8" })
      assert.deepStrictEqual([child.status, child.stderr], [1, none])
    })
  )
})
