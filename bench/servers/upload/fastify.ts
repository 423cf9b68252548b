/** @fastify/multipart, the file streamed to disk as its page shows it. */
import { randomUUID } from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { pipeline } from "node:stream/promises"
import fastifyMultipart, { type MultipartValue } from "@fastify/multipart"
import Fastify from "fastify"

const app = Fastify()
const folder = process.env.UPLOADS ?? ""

app.register(fastifyMultipart, { limits: { fileSize: 4 * 1024 ** 3 } })

app.post("/upload", async (request, reply) => {
  const data = await request.file()
  if (data === undefined) return reply.code(400).send("no file")
  const file = Fs.createWriteStream(Path.join(folder, randomUUID()))
  await pipeline(data.file, file)
  const { value } = data.fields.title as MultipartValue<string>
  return reply.type("text/plain").send(`${value} ${file.bytesWritten}`)
})

await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" })
