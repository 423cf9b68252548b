/** Express without a log, or with morgan's combined one. The lines go to /dev/null. */
import { createWriteStream } from "node:fs"
import express from "express"
import morgan from "morgan"

const app = express()

if (process.argv[2] === "morgan") app.use(morgan("combined", { stream: createWriteStream("/dev/null") }))
app.get("/text", (_request, response) => {
  response.type("text/plain").send("Hello, World!")
})

app.listen(Number(process.env.PORT), "127.0.0.1")
