/** The baseline: a proxy by hand. Hop-by-hop headers stay here, connections to the upstream are kept, both bodies are piped. */
import * as Http from "node:http"
import { pipeline } from "node:stream"

const upstream = process.env.UPSTREAM ?? ""
const agent = new Http.Agent({ keepAlive: true })
const hopByHop = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"]

const forwarded = (headers: Http.IncomingHttpHeaders): Http.IncomingHttpHeaders => {
  const copy = { ...headers }
  for (const name of headers.connection?.toLowerCase().split(/\s*,\s*/) ?? []) delete copy[name]
  for (const name of hopByHop) delete copy[name]
  return copy
}

Http.createServer((request, response) => {
  const headers = forwarded(request.headers)
  const client = request.socket.remoteAddress ?? "unknown"
  const before = headers["x-forwarded-for"]
  headers["x-forwarded-for"] = before === undefined ? client : `${before}, ${client}`
  const outgoing = Http.request(upstream, { method: request.method, path: request.url, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, forwarded(answer.headers))
    answer.once("error", () => response.destroy())
    answer.pipe(response)
  })
  outgoing.once("error", () => {
    if (!response.headersSent) response.writeHead(502, { "content-type": "text/plain" }).end("Bad Gateway")
    else response.destroy()
  })
  response.once("close", () => {
    if (!response.writableFinished) outgoing.destroy()
  })
  // A body is on its way only when one of these says so (RFC 9112 §6.3); without it there is nothing to pipe.
  const { "content-length": length, "transfer-encoding": coding } = request.headers
  if (length === undefined && coding === undefined) outgoing.end()
  else pipeline(request, outgoing, () => {})
}).listen(Number(process.env.PORT), "127.0.0.1")
