/** effect-web without a log, or with one: a format, as the server's option or as a middleware. The lines go to /dev/null. */
import { createWriteStream } from "node:fs"
import { Layer, Logger } from "effect"
import { AccessLog, App, Response, Route, Server } from "../../../dist/index.js"

const [kind = "off", where = "option"] = process.argv.slice(2)

const file = createWriteStream("/dev/null")
const write = (lines: string): void => void file.write(lines)
const formats = { combined: AccessLog.combined, logfmt: AccessLog.logfmt, json: AccessLog.json }
const format = formats[kind as keyof typeof formats]
const log = format === undefined ? {} : { format, write }

const bare = App.make({ text: Route.get("/text", Response.text("Hello, World!")) })
const app = where === "middleware" ? App.use(AccessLog.make(log))(bare) : bare

// What Effect's own logger takes for a line of JSON, in place of the formats above.
const logger = Logger.layer([Logger.map(Logger.formatJson, (line) => write(`${line}\n`))])

Server.layer(app, {
  port: Number(process.env.PORT),
  host: "127.0.0.1",
  accessLog: kind !== "off" && where === "option" && log
}).pipe(Layer.provide(logger), Server.launch())
