/**
 * Upstream servers for tests of the proxy, and proxies in front of them.
 */
import * as Http from "node:http"
import * as Net from "node:net"
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as App from "../../src/App.ts"
import * as Proxy from "../../src/handlers/Proxy.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as Wire from "../conformance/wire.ts"
import { recorder } from "../server/both.ts"

/** An upstream server on a free port of 127.0.0.1. */
export interface Upstream {
  readonly url: string
  readonly port: number
  /** Its open connections. */
  readonly sockets: ReadonlySet<Net.Socket>
  /** How many connections it has had. */
  readonly connections: () => number
  /** How many requests it has had. */
  readonly requests: () => number
}

const listening = (server: Net.Server, requests: () => number): Effect.Effect<Upstream, never, Scope.Scope> => {
  const sockets = new Set<Net.Socket>()
  let connections = 0
  server.on("connection", (socket: Net.Socket) => {
    connections++
    sockets.add(socket)
    socket.on("error", () => {})
    socket.on("close", () => sockets.delete(socket))
  })
  const listen = Effect.callback<void>((resume) => {
    server.listen(0, "127.0.0.1", () => resume(Effect.void))
  })
  const close = Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    for (const socket of sockets) socket.destroy()
  })
  return Effect.map(
    Effect.acquireRelease(listen, () => close),
    () => {
      const { port } = server.address() as Net.AddressInfo
      return { url: `http://127.0.0.1:${port}`, port, sockets, connections: () => connections, requests }
    }
  )
}

/** One of node:http. */
export const upstream = (
  listener: Http.RequestListener,
  change: (server: Http.Server) => void = () => {}
): Effect.Effect<Upstream, never, Scope.Scope> =>
  Effect.suspend(() => {
    let requests = 0
    const server = Http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      requests++
      listener(request, response)
    })
    change(server)
    return listening(server, () => requests)
  })

/** One that answers each head of a request with bytes, or does something with its socket. */
export const rawUpstream = (
  answer: string | ((socket: Net.Socket, head: string) => void)
): Effect.Effect<Upstream, never, Scope.Scope> =>
  Effect.suspend(() => {
    let requests = 0
    const server = Net.createServer((socket) => {
      let received = ""
      socket.on("data", (chunk) => {
        received += chunk.toString("latin1")
        for (let at = received.indexOf("\r\n\r\n"); at !== -1; at = received.indexOf("\r\n\r\n")) {
          const head = received.slice(0, at + 2)
          received = received.slice(at + 4)
          requests++
          if (typeof answer === "string") socket.write(answer, "latin1")
          else answer(socket, head)
        }
      })
    })
    return listening(server, () => requests)
  })

/** What the echo says of a request. */
export interface Echo {
  readonly method: string
  readonly url: string
  /** As they came, names in lower case; several of a name are a list. */
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly body: string
}

/** Answers with the request, in JSON. */
export const echo: Http.RequestListener = (request, response) => {
  const headers: Record<string, string | Array<string>> = {}
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at]!.toLowerCase()
    const value = request.rawHeaders[at + 1]!
    headers[name] = name in headers ? [headers[name]!, value].flat() : value
  }
  const chunks: Array<Buffer> = []
  request.on("data", (chunk) => chunks.push(chunk))
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString("latin1")
    const text = JSON.stringify({ method: request.method, url: request.url, headers, body })
    response.writeHead(200, { "content-type": "application/json" })
    response.end(text)
  })
}

/** The echo in an answer. */
export const echoed = (answer: { readonly body: Buffer }): Echo => JSON.parse(answer.body.toString())

/** What a test is given. */
export interface Given {
  readonly upstream: Upstream
  readonly client: Testing.Client
  /** A first connection. */
  readonly wire: Wire.Wire
  readonly connect: Effect.Effect<Wire.Wire, never, Scope.Scope>
  readonly logs: ReadonlyArray<string>
}

/** A proxy at "/" and below "/api", unless the routes are given. */
export interface Options extends Partial<Proxy.Options> {
  readonly routes?: (proxy: ReturnType<typeof Proxy.make>) => App.Routes
  readonly server?: Testing.Options
}

/** The app of a proxy. */
export const appOf = ({ routes, server: _, ...options }: Options, url: string) => {
  const proxy = Proxy.make({ upstream: url, ...options })
  const table = routes?.(proxy) ?? { api: Route.mountHandler("/api", proxy), all: Route.any("/{path:.*}", proxy) }
  // The routes of a test need no service and fail with what the proxy fails with.
  return App.make(table) as App.App<never, never, App.Routes>
}

/** Declares a test of a proxy in front of an upstream server twice: in memory and on a socket. */
export const proxied = <E>(
  name: string,
  server: Effect.Effect<Upstream, never, Scope.Scope>,
  test: (given: Given) => Effect.Effect<unknown, E, Scope.Scope>,
  options: Options | ((upstream: Upstream) => Options) = {}
): void => {
  type Made = App.App<never, never, App.Routes>
  type Make = (app: Made, options?: Testing.Options) => Effect.Effect<Testing.Client, unknown, Scope.Scope>
  const run = (make: Make) => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const upstream = yield* server
      const all = typeof options === "function" ? options(upstream) : options
      const client = yield* make(appOf(all, upstream.url), all.server)
      const connect = Wire.open(client)
      return yield* test({ upstream, client, wire: yield* connect, connect, logs })
    }).pipe(Effect.scoped, Effect.provide(layer))
  }
  describe(name, () => {
    it.live("in memory", () => run((app, options) => Testing.client(app, options)))
    it.live("on a socket", () => run((app, options) => Testing.socketClient(app, options)))
  })
}
