/** What the programs of proxy/ stand in front of: plain node:http, one small text. */
import * as Http from "node:http"

Http.createServer((_request, response) => {
  response.writeHead(200, { "content-type": "text/plain", "content-length": 13 })
  response.end("Hello, World!")
}).listen(Number(process.env.PORT), "127.0.0.1")
