/** The baseline: the body as it comes, streamed to a file. It parses no form: what the bytes alone cost. */
import { randomUUID } from "node:crypto"
import * as Fs from "node:fs"
import * as Http from "node:http"
import * as Path from "node:path"
import { pipeline } from "node:stream"

const folder = process.env.UPLOADS ?? ""

const send = (response: Http.ServerResponse, status: number, body: string): void => {
  response.writeHead(status, { "content-type": "text/plain", "content-length": Buffer.byteLength(body) })
  response.end(body)
}

Http.createServer((request, response) => {
  if (request.method !== "POST" || request.url !== "/upload") return send(response, 404, "Not Found")
  const file = Fs.createWriteStream(Path.join(folder, randomUUID()))
  pipeline(request, file, (error) => {
    if (error) return send(response, 500, "Internal Server Error")
    send(response, 200, String(file.bytesWritten))
  })
}).listen(Number(process.env.PORT), "127.0.0.1")
