/** Express's own middleware for files, all defaults. */
import express from "express"

const app = express()

app.use(express.static(process.env.FILES ?? ""))

app.listen(Number(process.env.PORT), "127.0.0.1")
