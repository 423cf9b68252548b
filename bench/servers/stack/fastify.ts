/** Fastify with its own plugins for the same; pino writes the access log, as it does unless told otherwise. */
import { randomUUID } from "node:crypto"
import cors from "@fastify/cors"
import csrf from "@fastify/csrf-protection"
import helmet from "@fastify/helmet"
import secureSession from "@fastify/secure-session"
import Fastify from "fastify"
import { origin, secret } from "./site.ts"

declare module "@fastify/secure-session" {
  interface SessionData {
    name: string
  }
}

const app = Fastify({ logger: true, genReqId: () => randomUUID() })
app.addHook("onSend", async (request, reply) => {
  reply.header("x-request-id", request.id)
})
await app.register(helmet)
await app.register(cors, { origin: [origin], credentials: true })
await app.register(secureSession, { secret, salt: "sixteen bytes...", cookie: { path: "/", httpOnly: true } })
await app.register(csrf, { sessionPlugin: "@fastify/secure-session" })

const message = { type: "object", properties: { message: { type: "string" } } } as const
app.get("/json", { schema: { response: { 200: message } } }, (request, reply) => {
  reply.send({ message: `Hello, ${request.session.get("name") ?? "you"}!` })
})
app.get("/login", (request, reply) => {
  request.session.set("name", "Ada")
  reply.code(204).send()
})

await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" })
