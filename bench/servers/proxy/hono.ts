/** Hono's proxy helper as its page shows it, on its own Node adapter. */
import { serve } from "@hono/node-server"
import { getConnInfo } from "@hono/node-server/conninfo"
import { Hono } from "hono"
import { proxy } from "hono/proxy"

const app = new Hono()
const upstream = process.env.UPSTREAM ?? ""

app.all("/*", (c) =>
  proxy(upstream + c.req.path, {
    ...c.req,
    headers: { ...c.req.header(), "X-Forwarded-For": getConnInfo(c).remote.address }
  })
)

serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: "127.0.0.1" })
