/** node:http with no log: what the others are measured against. */
import * as Http from "node:http"

const server = Http.createServer((_request, response) => {
  response.setHeader("content-type", "text/plain")
  response.end("Hello, World!")
})

server.listen(Number(process.env.PORT), "127.0.0.1")
