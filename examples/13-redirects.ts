// Redirects: as the value a handler returns, or as a typed failure from deep inside.
//   curl -i localhost:8080/old        # 302 and location: /destination
//   curl -i localhost:8080/moved      # 308 and location: /destination
//   curl -i localhost:8080/account    # 303 and location: /login?next=/account
//   curl -b user=ada localhost:8080/account  # The account of ada
import { Effect } from "effect"
import { App, Redirect, Request, Response, Route, Server } from "effect-web"

const user = Effect.gen(function* () {
  const name = yield* Request.cookie("user")
  if (name !== undefined) return name
  return yield* new Redirect.SeeOther({ location: "/login?next=/account" })
})

const account = Effect.gen(function* () {
  return Response.text(`The account of ${yield* user}`)
})

export const app = App.make({
  old: Route.get("/old", Response.redirect("/destination")),
  moved: Route.get("/moved", Response.redirect("/destination", { status: 308 })),
  destination: Route.get("/destination", Response.text("You have arrived")),
  account: Route.get("/account", account)
})

if (import.meta.main) Server.run(app)
