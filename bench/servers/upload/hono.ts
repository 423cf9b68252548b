/** Hono's parseBody as its page on uploads shows it: the whole form in memory, then the file to disk. */
import { randomUUID } from "node:crypto"
import { writeFile } from "node:fs/promises"
import * as Path from "node:path"
import { serve } from "@hono/node-server"
import { Hono } from "hono"

const app = new Hono()
const folder = process.env.UPLOADS ?? ""

app.post("/upload", async (c) => {
  const { title, file } = await c.req.parseBody()
  if (!(file instanceof File)) return c.text("no file", 400)
  await writeFile(Path.join(folder, randomUUID()), file.stream())
  return c.text(`${title} ${file.size}`)
})

serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: "127.0.0.1" })
