/** The baseline: node:http and a hand-written switch, nothing that the four answers do not need. */
import * as Http from "node:http"
import { isPerson } from "./isPerson.ts"

const send = (response: Http.ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) })
  response.end(body)
}

const echo = (request: Http.IncomingMessage, response: Http.ServerResponse): void => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    let value: unknown
    try {
      value = JSON.parse(Buffer.concat(chunks).toString("utf8"))
    } catch {
      return send(response, 400, "text/plain", "Bad Request")
    }
    if (!isPerson(value)) return send(response, 422, "text/plain", "Unprocessable Content")
    send(response, 200, "application/json", JSON.stringify(value))
  })
}

Http.createServer((request, response) => {
  const { method, url = "/" } = request
  if (method === "GET") {
    if (url === "/text") return send(response, 200, "text/plain", "Hello, World!")
    if (url === "/json") {
      return send(response, 200, "application/json", JSON.stringify({ message: "Hello, World!" }))
    }
    if (url.startsWith("/users/")) return send(response, 200, "text/plain", `user ${url.slice(7)}`)
  } else if (method === "POST" && url === "/echo") {
    return echo(request, response)
  }
  send(response, 404, "text/plain", "Not Found")
}).listen(Number(process.env.PORT), "127.0.0.1")
