/** Fastify with its logger off (the default); JSON schemas on both sides, which is its fast way. */
import Fastify from "fastify"

const app = Fastify()

const message = { type: "object", properties: { message: { type: "string" } } } as const
const person = {
  type: "object",
  required: ["name", "age", "tags"],
  properties: {
    name: { type: "string" },
    age: { type: "integer" },
    tags: { type: "array", items: { type: "string" } }
  }
} as const

app.get("/text", (_request, reply) => {
  reply.type("text/plain").send("Hello, World!")
})
app.get("/json", { schema: { response: { 200: message } } }, (_request, reply) => {
  reply.send({ message: "Hello, World!" })
})
app.get<{ Params: { id: string } }>("/users/:id", (request, reply) => {
  reply.type("text/plain").send(`user ${request.params.id}`)
})
app.post("/echo", { schema: { body: person, response: { 200: person } } }, (request, reply) => {
  reply.send(request.body)
})

await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" })
