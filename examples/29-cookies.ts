// Cookies: read, set with attributes, forgotten. Here they count the visits of a browser.
//   curl -i localhost:8080/                  # Visit 1 and visits=1 and HttpOnly
//   curl -i -b visits=7 localhost:8080/      # Visit 8 and visits=8
//   curl -i -b visits=x localhost:8080/      # Visit 1
//   curl -i localhost:8080/forget            # 303 and location: / and Max-Age=0
import { Effect, Schema } from "effect"
import { App, Request, Response, Route, Server } from "effect-web"

const Cookies = Schema.Struct({ visits: Schema.Int })

const count = Effect.gen(function* () {
  const visits = yield* Request.decodeCookies(Cookies).pipe(
    Effect.map((cookies) => cookies.visits),
    Effect.catchTag("BadRequest", () => Effect.succeed(0))
  )
  // How long has a unit: a bare number does not compile.
  const options = { maxAge: "30 days", httpOnly: true, sameSite: "lax" } as const
  return Response.text(`Visit ${visits + 1}`).pipe(Response.setCookie("visits", String(visits + 1), options))
})

const forget = Response.redirect("/", { status: 303 }).pipe(Response.expireCookie("visits"))

export const app = App.make({
  count: Route.get("/", count),
  forget: Route.get("/forget", forget)
})

if (import.meta.main) Server.run(app)
