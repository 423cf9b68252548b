// A login: a session with an identity that only `rotate` gives, under a new id; remember me, and a logout.
//   curl -i localhost:8080/                                                    # 303 and location: /login
//   curl -i -b jar -c jar -d 'name=ada&password=guess' localhost:8080/login    # 303 and location: /login
//   curl -b jar -c jar localhost:8080/login                                    # <form method="post"> and That is not it
//   curl -i -b jar -c jar -d 'name=ada&password=secret' localhost:8080/login   # 303 and location: /
//   curl -b jar -c jar localhost:8080/                                         # Hello, ada
//   curl -i -b jar -c jar -X POST localhost:8080/logout                        # 303 and Max-Age=0
//   curl -i -d 'name=ada&password=secret&remember=on' localhost:8080/login     # 303 and Max-Age=2592000
import { Effect, Option, Schema } from "effect"
import { App, Auth, Body, html, RecordStore, Response, Route, Server, Session } from "effect-web"

const definition = { fields: {}, empty: {}, identity: Schema.String, flash: { problem: Schema.String } }
class Login extends Session.Service<Login>()("Login", definition) {}

const form = Effect.gen(function* () {
  const { problem } = yield* (yield* Login).flashed
  return Response.html(html`<p role="alert">${problem}</p><form method="post">
    <label>Name <input name="name" autocomplete="username"></label>
    <label>Password <input name="password" type="password" autocomplete="current-password"></label>
    <label><input name="remember" type="checkbox"> Remember me for 30 days</label>
    <button>Log in</button></form>`)
})

const Fields = Schema.Struct({
  name: Schema.String,
  password: Schema.Redacted(Schema.String),
  remember: Schema.optionalKey(Schema.String)
})
const toLogin = Response.redirect("/login", { status: 303 })

const submit = Effect.gen(function* () {
  const { name, password, remember } = yield* Body.form(Fields)
  const login = yield* Login
  // A real one looks up the user, who has a hash of the password.
  if (name === "ada" && Auth.equals(password, "secret")) {
    yield* login.rotate(name, { remember: remember !== undefined })
    return Response.redirect("/", { status: 303 })
  }
  yield* login.flash({ problem: "That is not it" })
  return toLogin
})

const logout = Effect.flatMap(Login, ({ invalidate }) => Effect.as(invalidate, toLogin))

// `Auth.require(User, Auth.session(Login, findUser))` gives handlers the user, and strangers a 401.
const home = Effect.gen(function* () {
  const name = yield* (yield* Login).identity
  if (Option.isNone(name)) return toLogin
  return Response.html(html`<p>Hello, ${name.value}</p>
    <form method="post" action="/logout"><button>Log out</button></form>`)
})

export const app = App.make({
  home: Route.get("/", home),
  login: Route.view("/login", { get: form, post: submit }),
  logout: Route.post("/logout", logout)
}).pipe(App.use(Session.make(Login, { store: RecordStore.memory() })))

if (import.meta.main) Server.run(app)
