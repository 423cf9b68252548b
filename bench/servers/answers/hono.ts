/** Hono on its own Node adapter. */
import { serve } from "@hono/node-server"
import { Hono } from "hono"
import { isPerson } from "./isPerson.ts"

const app = new Hono()

app.get("/text", (c) => c.text("Hello, World!"))
app.get("/json", (c) => c.json({ message: "Hello, World!" }))
app.get("/users/:id", (c) => c.text(`user ${c.req.param("id")}`))
app.post("/echo", async (c) => {
  const body = await c.req.json()
  return isPerson(body) ? c.json(body) : c.text("Unprocessable Content", 422)
})

serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: "127.0.0.1" })
