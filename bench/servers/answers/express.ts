/** Express as its guide writes it, all defaults (ETag and X-Powered-By included). */
import express from "express"
import { isPerson } from "./isPerson.ts"

const app = express()

app.get("/text", (_request, response) => {
  response.type("text/plain").send("Hello, World!")
})
app.get("/json", (_request, response) => {
  response.json({ message: "Hello, World!" })
})
app.get("/users/:id", (request, response) => {
  response.type("text/plain").send(`user ${request.params.id}`)
})
app.post("/echo", express.json(), (request, response) => {
  if (isPerson(request.body)) response.json(request.body)
  else response.status(422).type("text/plain").send("Unprocessable Content")
})

app.listen(Number(process.env.PORT), "127.0.0.1")
