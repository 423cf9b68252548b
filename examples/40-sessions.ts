// Sessions: what the server remembers of a browser, typed by a schema. Nothing is read before a handler asks, or kept of who leaves nothing.
//   curl -b jar -c jar localhost:8080/                       # Visit 1
//   curl -b jar -c jar localhost:8080/                       # Visit 2
//   curl -i -b jar -c jar -d 'name=Ada' localhost:8080/name  # 303 and location: /
//   curl -b jar -c jar localhost:8080/                       # Ada, visit 3: Your name is saved
//   curl -b jar -c jar localhost:8080/                       # Ada, visit 4
//   curl -i -b jar -c jar -X POST localhost:8080/forget      # 303 and Max-Age=0
//   curl -b jar -c jar localhost:8080/                       # Visit 1
//   curl -b session=forged localhost:8080/                   # Visit 1
import { Effect, Schema } from "effect"
import { App, Body, RecordStore, Response, Route, Server, Session } from "effect-web"

class Visit extends Session.Service<Visit>()("Visit", {
  fields: { count: Schema.Int, name: Schema.optionalKey(Schema.String) },
  empty: { count: 0 },
  flash: { notice: Schema.String }
}) {}

const home = Effect.gen(function* () {
  const visit = yield* Visit
  const { count, name } = yield* visit.update((v) => ({ ...v, count: v.count + 1 }))
  const { notice } = yield* visit.flashed // read once
  const text = `${name === undefined ? "Visit" : `${name}, visit`} ${count}`
  return Response.text(notice === undefined ? text : `${text}: ${notice}`)
})

const rename = Effect.gen(function* () {
  const { name } = yield* Body.form(Schema.Struct({ name: Schema.NonEmptyString }))
  const visit = yield* Visit
  yield* visit.update((v) => ({ ...v, name }))
  yield* visit.flash({ notice: "Your name is saved" }) // for the next request
  return Response.redirect("/", { status: 303 })
})

const forget = Effect.gen(function* () {
  yield* (yield* Visit).invalidate
  return Response.redirect("/", { status: 303 })
})

// RecordStore.redis() or .sql() for many processes; Session.cookie({ keys }) keeps sessions in the browser, encrypted.
export const app = App.make({
  home: Route.get("/", home),
  rename: Route.post("/name", rename),
  forget: Route.post("/forget", forget)
}).pipe(App.use(Session.make(Visit, { store: RecordStore.memory() })))

if (import.meta.main) Server.run(app)
