/** Sends a form of one field and one file again and again; checks each answer and what was saved. Started by Uploads.ts. */
import { randomBytes } from "node:crypto"
import { closeSync, openSync, readdirSync, readSync, rmSync, statSync, writeSync } from "node:fs"
import * as Http from "node:http"
import { join } from "node:path"
import { pipeline, Readable } from "node:stream"
import type { Job } from "./Uploads.ts"

const { url, folder, fileBytes, seconds, compare, raw } = JSON.parse(process.env.BENCH_JOB ?? "{}") as Job

const boundary = "----WebKitFormBoundaryGq4TJ7bAhm3Xz1Yk"
const head = Buffer.from(
  `--${boundary}\r\nContent-Disposition: form-data; name="title"\r\n\r\nsong\r\n` +
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="song.mp3"\r\nContent-Type: audio/mpeg\r\n\r\n`
)
const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
// As the bytes of a compressed file are: a search for the boundary meets every byte now and then.
const chunk = randomBytes(64 * 1024)
const bodyBytes = head.length + fileBytes + tail.length

function* body(): Generator<Buffer> {
  yield head
  for (let sent = 0; sent < fileBytes; sent += chunk.length) yield chunk
  yield tail
}

const agent = new Http.Agent({ keepAlive: true, maxSockets: 1 })

const send = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { "content-type": `multipart/form-data; boundary=${boundary}`, "content-length": bodyBytes }
    const request = Http.request(url, { method: "POST", agent, headers }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part
      })
      response.once("end", () => resolve(`${response.statusCode} ${text}`))
    })
    request.once("error", reject)
    pipeline(Readable.from(body()), request, () => {})
  })

/** Checks that the one file in the folder is what was sent, and removes it. */
const checkSavedUnsafe = (): void => {
  const names = readdirSync(folder)
  const file = join(folder, names[0] ?? "none")
  if (names.length !== 1) throw new Error(`${names.length} files were saved, wanted 1`)
  const { size } = statSync(file)
  const wanted = raw ? bodyBytes : fileBytes
  if (size !== wanted) throw new Error(`${size} bytes were saved, wanted ${wanted}`)
  if (compare) compareUnsafe(file)
  rmSync(file)
}

const compareUnsafe = (file: string): void => {
  const descriptor = openSync(file, "r")
  const buffer = Buffer.alloc(chunk.length)
  const start = raw ? head.length : 0
  for (let at = 0; at < fileBytes; at += chunk.length) {
    if (readSync(descriptor, buffer, 0, chunk.length, start + at) !== chunk.length || !buffer.equals(chunk)) {
      throw new Error(`the file saved differs from the one sent between ${at} and ${at + chunk.length}`)
    }
  }
  closeSync(descriptor)
}

const answer = raw ? `200 ${bodyBytes}` : `200 song ${fileBytes}`
const start = performance.now()
let requests = 0
let microseconds = 0
do {
  const before = performance.now()
  const text = await send()
  microseconds += (performance.now() - before) * 1000
  if (text !== answer) throw new Error(`answer ${JSON.stringify(text.slice(0, 200))}, wanted ${JSON.stringify(answer)}`)
  checkSavedUnsafe()
  requests++
} while (performance.now() - start < seconds * 1000)
writeSync(1, `\nBENCH ${JSON.stringify({ requests, microseconds: Math.round(microseconds) })}\n`)
process.exit(0)
