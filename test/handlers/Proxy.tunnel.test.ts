/**
 * WebSockets and other protocols through a proxy.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import * as Http from "node:http"
import type * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import type { Duplex } from "node:stream"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeWS from "@effect/platform-node/NodeWS"
import * as Undici from "@effect/platform-node/Undici"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as Wire from "../conformance/wire.ts"
import { get, post, standstill, turns, until } from "../server/both.ts"
import * as Started from "../server/started.ts"
import { appOf, echo, echoed, proxied, upstream } from "./upstream.ts"

interface Seen {
  readonly request: Http.IncomingMessage
  readonly socket: NodeWS.WebSocket
  code: number | undefined
}

let seen: ReadonlyArray<Seen> = []
const last = (): Seen => seen.at(-1)!

type OnUpgrade = (request: Http.IncomingMessage, socket: Duplex, head: Buffer) => void

const upstreamWith = (onUpgrade: OnUpgrade) => upstream(echo, (server) => server.on("upgrade", onUpgrade))

/** Echoes messages, and takes the subprotocol "two" only. */
const webSockets = Effect.suspend(() => {
  seen = []
  const wss = new NodeWS.WebSocketServer({ noServer: true, handleProtocols: (offered) => offered.has("two") && "two" })
  return upstreamWith((request, socket, head) =>
    wss.handleUpgrade(request, socket, head, (socket) => {
      const one: Seen = { request, socket, code: undefined }
      seen = [...seen, one]
      socket.on("error", () => {})
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }))
      socket.on("close", (code) => {
        one.code = code
      })
    })
  )
})

describe("a WebSocket", () => {
  proxied("carries messages both ways, and its close", webSockets, ({ client, logs, upstream }) =>
    Effect.gen(function* () {
      const headers = { "x-a": "1", cookie: "a=b" }
      const origin = "https://app.example"
      const peer = yield* client.webSocket("/api/chat?x=1", { protocols: ["one", "two"], origin, headers })
      assert.deepStrictEqual([peer.protocol, last().request.url], ["two", "/chat?x=1"])
      assert.deepInclude(last().request.headers, {
        host: `127.0.0.1:${upstream.port}`,
        origin,
        "x-a": "1",
        cookie: "a=b",
        via: "1.1 effect-web",
        "x-forwarded-for": "127.0.0.1",
        connection: "upgrade",
        upgrade: "websocket"
      })
      assert.strictEqual(peer.headers.via, "1.1 effect-web")
      yield* peer.send("hello")
      assert.strictEqual(yield* peer.receive, "hello")
      yield* peer.send(Buffer.alloc(200_000, 7))
      assert.deepStrictEqual(yield* peer.receive, Buffer.alloc(200_000, 7))
      yield* peer.close(4001, "bye")
      yield* until(() => last().code === 4001 && upstream.sockets.size === 0)
      assert.deepStrictEqual(logs, [])
    })
  )
  proxied("is closed with the code of its server", webSockets, ({ client }) =>
    Effect.gen(function* () {
      const peer = yield* client.webSocket("/")
      last().socket.close(4002, "enough")
      assert.deepInclude(yield* peer.closed, { code: 4002, reason: "enough" })
    })
  )
  proxied("breaks off there when it breaks off here", webSockets, ({ client, logs, upstream }) =>
    Effect.gen(function* () {
      const peer = yield* client.webSocket("/")
      yield* peer.destroy
      yield* until(() => last().code === 1006 && upstream.sockets.size === 0)
      yield* turns
      assert.deepStrictEqual(logs, [])
    })
  )
  proxied("breaks off here when it breaks off there", webSockets, ({ client, logs }) =>
    Effect.gen(function* () {
      const peer = yield* client.webSocket("/")
      last().socket.terminate()
      assert.strictEqual((yield* peer.closed).code, 1006)
      yield* turns
      assert.deepStrictEqual(logs, [])
    })
  )
  proxied("stops its server when its client is slow", webSockets, ({ client }) =>
    Effect.gen(function* () {
      const peer = yield* client.webSocket("/", { compress: false })
      yield* peer.pause
      const { socket } = last()
      let written = 0
      const more = () => {
        while (socket.bufferedAmount < 1024 * 1024 && socket.readyState === 1) {
          written += 65_536
          socket.send(Buffer.alloc(65_536))
        }
        if (socket.readyState === 1) setImmediate(more)
      }
      more()
      yield* standstill(() => written)
      assert.isBelow(written, 16 * 1024 * 1024)
      yield* peer.destroy
    })
  )
  proxied(
    "has the headers and the cookies of middleware in its 101",
    webSockets,
    ({ client }) =>
      Effect.gen(function* () {
        const peer = yield* client.webSocket("/")
        assert.deepInclude(peer.headers, { "x-here": "1" })
        assert.deepStrictEqual(peer.headers["set-cookie"], ["c=1; Path=/"])
      }),
    {
      routes: (proxy) => ({
        all: Route.get(
          "/",
          Effect.map(proxy, (response) => Response.setCookie(Response.setHeader(response, "x-here", "1"), "c", "1"))
        )
      })
    }
  )
  proxied(
    "to nobody is a 502",
    webSockets,
    ({ client }) =>
      Effect.gen(function* () {
        const refused = yield* Effect.flip(client.webSocket("/"))
        assert.strictEqual(refused.status, 502)
      }),
    { upstream: "http://127.0.0.1:1" }
  )
})

const ask = (protocol: string, rest = ""): string => get("/a", `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`) + rest

const switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x/2\r\n\r\n"

describe("an upgrade", () => {
  const shouting = upstreamWith((_, socket, head) => {
    socket.write(`${switched}hello `)
    socket.on("data", (chunk) => socket.write(String(chunk).toUpperCase()))
    socket.on("end", () => socket.end("bye"))
    if (head.length > 0) socket.write(String(head).toUpperCase())
  })
  proxied(
    "to any protocol carries bytes, those too that come with the heads, and the end of each side",
    shouting,
    ({ logs, upstream, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(ask("x/2", "early "))
        const head = yield* wire.until("\r\n\r\n")
        assert.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
        assert.match(head, /\r\nupgrade: x\/2\r\n/i)
        yield* wire.until("hello EARLY ")
        yield* wire.send("more")
        yield* wire.until("MORE")
        wire.socket.end()
        assert.strictEqual(yield* wire.closed, "bye")
        yield* until(() => upstream.sockets.size === 0)
        assert.deepStrictEqual(logs, [])
      })
  )

  const declined = (answer: string) => upstreamWith((_, socket) => void socket.end(answer))
  const ways = [
    ["refused", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nno", "403 Forbidden", "no"],
    ["ignored", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "200 OK", "hi"],
    [
      "answered with what to change to",
      "HTTP/1.1 426 Upgrade Required\r\nUpgrade: y\r\nContent-Length: 0\r\n\r\n",
      "426 Upgrade Required",
      ""
    ]
  ] as const
  for (const [name, answer, line, body] of ways) {
    proxied(`that is ${name} is an ordinary answer, and the connection goes on`, declined(answer), ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(ask("x/2"))
        const first = yield* wire.answer()
        assert.deepStrictEqual([first.line, first.body.toString()], [line, body])
        yield* wire.send(get("/b"))
        assert.strictEqual(echoed(yield* wire.answer()).url, "/b")
        yield* wire.send(ask("x/2"))
        assert.strictEqual((yield* wire.answer()).line, line)
        assert.deepStrictEqual(logs, [])
      })
    )
  }
  proxied(
    "that is answered with no HTTP is a 502",
    declined("HTTP/1.1 101 Switching Protocols\r\nX A\r\n\r\n"),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(ask("x/2"))
        assert.strictEqual((yield* wire.answer()).line, "502 Bad Gateway")
      })
  )

  for (const protocol of ["h2c", "H2C", "TLS/1.3", "HTTP/2.0"]) {
    proxied(`to ${protocol} is not passed on: it would pass by all routes`, shouting, ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(ask(protocol))
        const { headers } = echoed(yield* wire.answer())
        assert.deepStrictEqual([headers.upgrade, headers.connection], [undefined, "keep-alive"])
        yield* wire.send(ask(`${protocol}, x/2`))
        yield* wire.until("hello ")
      })
    )
  }
  proxied("is not passed on with a body", shouting, ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send(post("/a", "hello", "Connection: Upgrade\r\nUpgrade: x/2\r\n"))
      const { body, headers } = echoed(yield* wire.answer())
      assert.deepStrictEqual([headers.upgrade, body], [undefined, "hello"])
    })
  )
  proxied("is not passed on unless Connection names it", shouting, ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/a", "Upgrade: x/2\r\n"))
      assert.isUndefined(echoed(yield* wire.answer()).headers.upgrade)
    })
  )
  let asked = 0
  const silent = upstreamWith((_, socket) => {
    asked++
    socket.on("end", () => socket.end()).resume()
  })
  for (const end of ["end", "destroy"] as const) {
    proxied(`whose client leaves by ${end} before it is answered is broken off`, silent, ({ logs, upstream, wire }) =>
      Effect.gen(function* () {
        const before = asked
        yield* wire.send(ask("x/2"))
        yield* until(() => asked > before)
        wire.socket[end]()
        yield* until(() => upstream.sockets.size === 0)
        assert.deepStrictEqual(logs, [])
      })
    )
  }
  proxied(
    "of which middleware makes something else leaves nothing open",
    shouting,
    ({ logs, upstream, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(ask("x/2"))
        assert.strictEqual((yield* wire.answer()).body.toString(), "instead")
        yield* until(() => upstream.sockets.size === 0)
        assert.deepStrictEqual(logs, [])
      }),
    { routes: (proxy) => ({ all: Route.any("/{path:.*}", Effect.as(proxy, Response.text("instead"))) }) }
  )
})

/** The sockets that are opened to other servers from now on. */
const dials = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const sockets: Array<Net.Socket> = []
      const listener = (message: unknown) => void sockets.push((message as { readonly socket: Net.Socket }).socket)
      subscribe("net.client.socket", listener)
      return { sockets, listener }
    }),
    ({ listener }) => Effect.sync(() => unsubscribe("net.client.socket", listener))
  ),
  ({ sockets }): ReadonlyArray<Net.Socket> => sockets
)

describe("a tunnel of which one side has ended", () => {
  let ended = 0
  let upstreamSocket: Duplex | undefined
  const endless = upstreamWith((_, socket) => {
    upstreamSocket = socket
    socket.on("end", () => ended++)
    socket.write(switched)
    socket.resume()
  })
  for (const [where, make] of [
    ["in memory", Testing.client] as const,
    ["on a socket", Testing.socketClient] as const
  ]) {
    const opened = Effect.gen(function* () {
      const upstream = yield* endless
      const client = yield* make(appOf({}, upstream.url))
      const wire = yield* Wire.open(client)
      yield* wire.send(ask("x/2"))
      yield* wire.until("\r\n\r\n")
      return { upstream, wire }
    })
    // In memory to leave by destroy is to close at once.
    for (const end of where === "in memory" ? (["end"] as const) : (["end", "destroy"] as const)) {
      it.effect(`by ${end} is broken off when nothing comes from the other for ten seconds, ${where}`, () =>
        Effect.gen(function* () {
          const dialled = yield* dials
          const { upstream, wire } = yield* opened
          const far = dialled.find(({ remotePort }) => remotePort === upstream.port)
          const before = ended
          wire.socket[end]()
          yield* until(() => ended > before)
          yield* turns
          assert.isFalse(far?.destroyed)
          yield* TestClock.adjust("10 seconds")
          yield* until(() => far?.destroyed === true)
          yield* wire.closed
        })
      )
    }
    it.effect(`goes on as long as the other sends, ${where}`, () =>
      Effect.gen(function* () {
        const { upstream, wire } = yield* opened
        const before = ended
        wire.socket.end()
        yield* until(() => ended > before)
        yield* turns
        for (const text of ["one", "two", "three"]) {
          upstreamSocket?.write(text)
          yield* wire.until(text)
          yield* TestClock.adjust("10 seconds")
          yield* turns
          assert.isFalse(wire.isOver())
        }
        upstreamSocket?.end("four")
        assert.strictEqual(yield* wire.closed, "four")
        yield* until(() => upstream.sockets.size === 0)
      })
    )
    it.effect(`goes on while a slow client has yet to take what was sent, ${where}`, () =>
      Effect.gen(function* () {
        const { upstream, wire } = yield* opened
        const before = ended
        wire.socket.end()
        yield* until(() => ended > before)
        wire.socket.pause()
        const size = 8 * 1024 * 1024
        upstreamSocket?.end(Buffer.alloc(size, "x"))
        yield* standstill(() => (upstreamSocket as Net.Socket).bytesWritten - upstreamSocket!.writableLength + 1)
        for (let turn = 0; turn < 5; turn++) {
          yield* TestClock.adjust("10 seconds")
          yield* turns
        }
        wire.socket.resume()
        assert.strictEqual((yield* wire.closed).length, size)
        yield* until(() => upstream.sockets.size === 0)
      })
    )
  }
})

describe("a tunnel to what cannot be reset", () => {
  it.live("is closed when its client breaks off", () =>
    Effect.gen(function* () {
      const path = Path.join(Os.tmpdir(), `effect-web-tunnel-${process.pid}.sock`)
      const sockets = new Set<Duplex>()
      const server = Http.createServer().on("upgrade", (_, socket) => {
        sockets.add(socket)
        socket.on("error", () => {}).on("close", () => sockets.delete(socket))
        socket.write(switched)
        socket.resume().on("end", () => socket.end())
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(path, () => resume(Effect.void))),
        () => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
      )
      const dispatcher = new Undici.Agent({ connect: { socketPath: path } })
      const made = Testing.socketClient(appOf({}, "http://upstream.example"))
      const client = yield* Effect.provideService(made, NodeHttpClient.Dispatcher, dispatcher)
      const wire = yield* Wire.open(client)
      yield* wire.send(ask("x/2"))
      yield* wire.until("\r\n\r\n")
      assert.strictEqual(sockets.size, 1)
      ;(wire.socket as Net.Socket).resetAndDestroy()
      yield* until(() => sockets.size === 0)
    })
  )
})

describe("a server that stops", () => {
  it.live("ends its tunnels at once", () =>
    Effect.gen(function* () {
      const { port, sockets } = yield* upstreamWith((_, socket) => {
        socket.write(switched)
        socket.on("end", () => socket.end())
        socket.resume()
      })
      const { connect, stop } = yield* Started.start(appOf({}, `http://127.0.0.1:${port}`))
      const wire = yield* connect
      yield* wire.send(ask("x/2"))
      yield* wire.until("\r\n\r\n")
      const stopping = yield* stop
      assert.strictEqual(yield* wire.closed, "")
      assert.isBelow(yield* Started.took(stopping), 2000)
      assert.strictEqual(sockets.size, 0)
    })
  )
})
