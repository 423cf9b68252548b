/** multer, Express's own middleware for forms, with its storage on disk (`dest`). */
import express from "express"
import multer from "multer"

const app = express()
const upload = multer({ dest: process.env.UPLOADS ?? "" })

app.post("/upload", upload.single("file"), (request, response) => {
  if (request.file === undefined) response.status(400).type("text/plain").send("no file")
  else response.type("text/plain").send(`${request.body.title} ${request.file.size}`)
})

app.listen(Number(process.env.PORT), "127.0.0.1")
