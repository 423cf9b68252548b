/** Fastify without a log, or with its own: pino, two lines for each request as it is by default. The lines go to /dev/null. */
import Fastify from "fastify"

const app = Fastify({ logger: process.argv[2] === "pino" ? { file: "/dev/null" } : false })

app.get("/text", (_request, reply) => {
  reply.type("text/plain").send("Hello, World!")
})

await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" })
