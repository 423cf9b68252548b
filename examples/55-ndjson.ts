// Streams of values by a schema: JSON by lines, which a client reads one by one, and text. Nothing is held in memory.
//   curl -N localhost:8080/users                # {"id":1,"name":"Ada","joined":"1970-01-02T00:00:00.000Z"}
//   curl -i localhost:8080/users                # content-type: application/x-ndjson and {"id":3,
//   curl -i 'localhost:8080/users?from=4'       # 404 and "detail":"Nobody from 4 on"
//   curl localhost:8080/squares                 # 1 4 9
import { Effect, Schema, Stream } from "effect"
import { App, HttpError, Response, Route, Server } from "effect-web"

const User = Schema.Struct({ id: Schema.Int, name: Schema.String, joined: Schema.Date })
const names = ["Ada", "Grace", "Edsger"]
const day = 86_400_000

const users = (from: number) =>
  Stream.range(from, names.length).pipe(
    Stream.map((id) => ({ id, name: names[id - 1] ?? "", joined: new Date(id * day) })),
    Stream.orElseIfEmpty(() => Stream.fail(new HttpError.NotFound({ text: `Nobody from ${from} on` })))
  )

const query = Schema.Struct({ from: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))) })

// The head waits for the first element: what fails before it, as here, is answered; what fails later cuts the connection.
const list = Route.get("/users", { query, success: Response.ndjson(User) }, ({ query: { from = 1 } }) =>
  Effect.succeed(users(from))
)

const squares = Response.textStream(
  Schema.String,
  Stream.map(Stream.range(1, 3), (n) => `${n * n} `)
)

export const app = App.make({ list, squares: Route.get("/squares", squares) })

if (import.meta.main) Server.run(app)
