/** Fastify's own plugin for WebSockets, with a heartbeat and a room by hand: it brings neither. */
import websocket from "@fastify/websocket"
import Fastify from "fastify"
import type { WebSocket } from "ws"
import { type Message, parse } from "./isMessage.ts"

const app = Fastify()
await app.register(websocket)

const onMessage = (socket: WebSocket, received: (message: Message) => void): void => {
  socket.on("message", (data: Buffer) => {
    const message = parse(data.toString())
    if (message === undefined) socket.close(1008)
    else received(message)
  })
}

const alive = new WeakSet<WebSocket>()
app.websocketServer.on("connection", (socket) => {
  alive.add(socket)
  socket.on("pong", () => alive.add(socket))
})
setInterval(() => {
  for (const socket of app.websocketServer.clients) {
    if (!alive.delete(socket)) socket.terminate()
    else socket.ping()
  }
}, 30_000)

app.get("/echo", { websocket: true }, (socket) => {
  onMessage(socket, (message) => socket.send(JSON.stringify(message)))
})
app.get("/raw", { websocket: true }, (socket) => {
  socket.on("message", (data: Buffer, binary) => socket.send(data, { binary }))
})

const room = new Set<WebSocket>()
app.get("/room", { websocket: true }, (socket) => {
  room.add(socket)
  socket.on("close", () => room.delete(socket))
  onMessage(socket, (message) => {
    for (const client of room) client.send(JSON.stringify(message))
  })
})

await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" })
