/** The baseline: node:http, the answer and nothing else. */
import * as Http from "node:http"

Http.createServer((request, response) => {
  const body = JSON.stringify({ message: "Hello, Ada!" })
  const isKnown = request.method === "GET" && (request.url === "/json" || request.url === "/login")
  response.writeHead(isKnown ? 200 : 404, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body)
  })
  response.end(body)
}).listen(Number(process.env.PORT), "127.0.0.1")
