// One server that shows every capability: a home page with buttons that try them.
//   npm start, then open http://localhost:8080
import * as Fs from "node:fs"
import { Duration, Effect, Layer } from "effect"
import { App, Compression, HttpError, type Middleware, Request, Response, Route, Server } from "effect-web"
import * as Basics from "./showcase/basics.ts"
import * as Failures from "./showcase/failures.ts"
import * as Files from "./showcase/files.ts"
import * as Lifecycle from "./showcase/lifecycle.ts"
import * as Members from "./showcase/members.ts"
import { page } from "./showcase/page.ts"
import * as Requests from "./showcase/requests.ts"
import * as Responses from "./showcase/responses.ts"
import * as Routing from "./showcase/routing.ts"

const home = Effect.gen(function* () {
  const { port } = yield* Request.url
  const groups = [Basics, Requests, Responses, Files, Members, Failures, Lifecycle].map(({ group }) => group)
  return Response.html(page(groups.toSpliced(1, 0, Routing.group(port || "80"))))
})

// The code of the examples that the cards name.
const sources: ReadonlyMap<string, string> = new Map(
  Fs.readdirSync(import.meta.dirname)
    .filter((name) => /^\d\d-.*\.ts$/.test(name))
    .map((name) => [name, Fs.readFileSync(`${import.meta.dirname}/${name}`, "utf8")])
)

const source = Route.get(
  "/source/{name}",
  Effect.fnUntraced(function* ({ params }) {
    const code = sources.get(params.name)
    if (code === undefined) return yield* new HttpError.NotFound({ text: "There is no such example" })
    return Response.text(code)
  })
)

const timing: Middleware.Middleware = (handler) =>
  Effect.map(Effect.timed(handler), ([duration, response]) =>
    Response.setHeader(response, "server-timing", `handler;dur=${Duration.toMillis(duration).toFixed(1)}`)
  )

const table = App.make({
  home: Route.get("/", home),
  source,
  ...Basics.routes,
  ...Routing.routes,
  ...Requests.routes,
  ...Responses.routes,
  ...Files.routes,
  ...Members.routes,
  ...Failures.routes,
  ...Lifecycle.routes
})

export const app = App.make({ ...table.routes, listing: Lifecycle.listing(table) }).pipe(
  App.use(timing),
  App.use(Lifecycle.secure),
  App.use(Compression.make())
)

const services = Layer.merge(Lifecycle.Journal.layer, Files.News.layer)

if (import.meta.main) {
  Server.layer(app, { port: Number(process.env.PORT ?? 8080) }).pipe(Layer.provide(services), Server.launch())
}
