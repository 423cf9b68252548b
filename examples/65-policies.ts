// Policies of routes: how many at a time, what becomes of the work when the client leaves or the server stops, and what is all or nothing.
//   curl -X POST localhost:8080/pay/ada/30    # ada has 70 left
//   curl -i -X POST localhost:8080/pay/ada/80 # 409 and Not enough
//   curl localhost:8080/purse/ada             # 70
//   curl localhost:8080/poll                  # nothing new
//   curl localhost:8080/policies              # pay: onDisconnect, timeout, transactional and poll: concurrency, onDrain, timeout
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { App, HttpError, Response, Route, Server, Sqlite } from "effect-web"

const balance = (name: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.map(
      sql<{ readonly money: number }>`SELECT money FROM purses WHERE name = ${name}`,
      ([row]) => row?.money ?? 0
    )
  ).pipe(Effect.orDie)

const pay = Effect.fnUntraced(function* (name: string, amount: number) {
  const sql = yield* SqlClient.SqlClient
  yield* Effect.orDie(sql`UPDATE purses SET money = money - ${amount} WHERE name = ${name}`)
  const left = yield* balance(name)
  // What was written is undone.
  if (left < 0) return yield* new HttpError.Conflict({ text: "Not enough" })
  return Response.text(`${name} has ${left} left`)
})

const routes = {
  pay: Route.post("/pay/{name}/{amount:\\d+}", ({ params }) => pay(params.name, Number(params.amount))).pipe(
    Route.transactional,
    Route.onDisconnect("finish") // once begun it is done, whoever waits for it
  ),
  purse: Route.get("/purse/{name}", ({ params }) =>
    Effect.map(balance(params.name), (left) => Response.text(`${left}`))
  ),
  poll: Route.get("/poll", Effect.as(Effect.sleep("5 seconds"), Response.text("nothing new"))).pipe(
    Route.concurrency({ limit: 100, queue: 0 }), // the 101st is told to come back
    Route.onDrain("interrupt") // a server that stops does not wait for it
  )
}
const limited = App.make(routes).pipe(App.policy(Route.timeout("30 seconds")))
const listing = App.routes(limited).map(({ name, policies }) => `${name}: ${Object.keys(policies).sort().join(", ")}`)

export const app = App.make({
  shop: Route.mount("/", limited),
  policies: Route.get("/policies", Response.text(listing.join("\n")))
})

const table = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.andThen(sql`CREATE TABLE purses (name TEXT, money INTEGER)`, sql`INSERT INTO purses VALUES ('ada', 100)`)
)
export const layer = Layer.provideMerge(Layer.effectDiscard(table), Sqlite.layer({ filename: ":memory:" }))

if (import.meta.main) Server.layer(app).pipe(Layer.provide(layer), Server.launch())
