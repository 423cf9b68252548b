// A login at an OpenID provider: who has logged in there is in the session here. `PORT=9000 node test/handlers/oidcProvider.ts` is one.
//   curl -i 'localhost:8080/?page=2'                                    # 303 and location: /auth/login?return_to=%2F%3Fpage%3D2
//   curl -i 'localhost:8080/auth/callback?code=stolen&state=guessed'    # 400 and This login was not begun in this browser
//   curl -i -X POST localhost:8080/auth/logout                          # 303 and location: /
import { Context, Effect, Redacted, Schema } from "effect"
import {
  App,
  Auth,
  HttpError,
  html,
  Middleware,
  Oidc,
  RecordStore,
  Request,
  Response,
  Route,
  Sealed,
  Server,
  Session
} from "effect-web"

class Visit extends Session.Service<Visit>()("Visit", { fields: {}, empty: {}, identity: Schema.String }) {}
class User extends Context.Service<User, { readonly name: string }>()("app/User") {}

const { OIDC_ISSUER = "http://127.0.0.1:9000" } = process.env
const { OIDC_CLIENT_ID = "example", OIDC_CLIENT_SECRET = "example-secret" } = process.env

// The redirect URI, to be registered at the provider, is http://localhost:8080/auth/callback.
const login = Oidc.make({
  session: Visit,
  // A real secret is not in the code: `yield* Sealed.keysConfig("APP_KEYS")`.
  keys: Sealed.keys("an example has no secrets, but they are long"),
  issuer: OIDC_ISSUER,
  clientId: OIDC_CLIENT_ID,
  clientSecret: Redacted.make(OIDC_CLIENT_SECRET),
  // A real one finds or creates the user of this subject; undefined turns somebody away.
  onLogin: ({ claims }) => Effect.succeed(claims.sub)
})

const bySession = Auth.session(Visit, (identity) => Effect.succeed({ name: identity }))

const toLogin = Effect.map(Request.current, ({ url }) =>
  Response.redirect(`/auth/login?return_to=${encodeURIComponent(url)}`, { status: 303 })
)

const home = Effect.map(User, ({ name }) =>
  Response.html(html`<p>Hello, ${name}</p><form method="post" action="/auth/logout"><button>Log out</button></form>`)
)

export const app = App.make({
  home: Route.get("/", home).pipe(
    Route.use(Auth.require(User, bySession)),
    Route.use(Middleware.catch(HttpError.Unauthorized, () => toLogin))
  ),
  auth: Route.mount("/auth", login)
}).pipe(App.use(Session.make(Visit, { store: RecordStore.memory() })))

if (import.meta.main) Server.run(app)
