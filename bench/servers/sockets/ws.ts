/** The baseline: plain `ws`, its heartbeat as its README writes it, a broadcast as a loop of `send`. */
import * as Http from "node:http"
import { type WebSocket, WebSocketServer } from "ws"
import { type Message, parse } from "./isMessage.ts"

const endpoint = (connected: (socket: WebSocket, server: WebSocketServer) => void): WebSocketServer => {
  const server = new WebSocketServer({ noServer: true })
  const alive = new WeakSet<WebSocket>()
  server.on("connection", (socket) => {
    alive.add(socket)
    socket.on("pong", () => alive.add(socket))
    socket.on("error", console.error)
    connected(socket, server)
  })
  setInterval(() => {
    for (const socket of server.clients) {
      if (!alive.delete(socket)) socket.terminate()
      else socket.ping()
    }
  }, 30_000)
  return server
}

const onMessage = (socket: WebSocket, received: (message: Message) => void): void => {
  socket.on("message", (data: Buffer) => {
    const message = parse(data.toString())
    if (message === undefined) socket.close(1008)
    else received(message)
  })
}

const endpoints: Readonly<Record<string, WebSocketServer>> = {
  "/echo": endpoint((socket) => onMessage(socket, (message) => socket.send(JSON.stringify(message)))),
  "/raw": endpoint((socket) => socket.on("message", (data: Buffer, binary) => socket.send(data, { binary }))),
  "/room": endpoint((socket, server) =>
    onMessage(socket, (message) => {
      for (const client of server.clients) {
        if (client.readyState === client.OPEN) client.send(JSON.stringify(message))
      }
    })
  )
}

Http.createServer((_request, response) => response.writeHead(426).end())
  .on("upgrade", (request, socket, head) => {
    const server = endpoints[request.url ?? ""]
    if (server === undefined) socket.destroy()
    else server.handleUpgrade(request, socket, head, (opened) => server.emit("connection", opened, request))
  })
  .listen(Number(process.env.PORT), "127.0.0.1")
