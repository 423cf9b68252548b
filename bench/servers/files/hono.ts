/** The serveStatic of Hono's Node adapter. It sends no ETag and answers no condition. */
import { serve } from "@hono/node-server"
import { serveStatic } from "@hono/node-server/serve-static"
import { Hono } from "hono"

const app = new Hono()

app.use("/*", serveStatic({ root: process.env.FILES ?? "" }))

serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: "127.0.0.1" })
