/**
 * Sessions, and a login page that uses one.
 */
import { Context, Effect, Schema } from "effect"
import {
  App,
  Auth,
  Body,
  Csrf,
  type Html,
  HttpError,
  html,
  Middleware,
  RecordStore,
  Redirect,
  Response,
  Route,
  Session
} from "effect-web"
import type { Group } from "./page.ts"

class Member extends Context.Service<Member, { readonly name: string }>()("showcase/Member") {}
class Visit extends Session.Service<Visit>()("Visit", {
  fields: { count: Schema.Int },
  empty: { count: 0 },
  identity: Schema.String,
  flash: { notice: Schema.String }
}) {}

const members: ReadonlyMap<string, Member["Service"]> = new Map([["ada", { name: "Ada" }]])

const page = (title: string, content: Html.Html) => html`<!doctype html>
<html lang="en">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>
  body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 12vh auto; padding: 0 1rem }
  label { display: block; margin: 1rem 0 }
  input:not([type=checkbox]) { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .4rem }
  button { font: inherit; padding: .4rem 1rem }
</style>
<main><h1>${title}</h1>${content}<p><a href="/">Back to the showcase</a></p></main>
</html>`

const form = Effect.gen(function* () {
  const { notice } = yield* (yield* Visit).flashed
  const content = html`<p role="status">${notice ?? html`The name is <b>ada</b>, the password <b>secret</b>.`}</p>
  <form method="post">
    <label>Name <input name="name" autocomplete="username" required></label>
    <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
    <label><input name="remember" type="checkbox"> Remember me for 30 days</label>
    <button>Log in</button>
  </form>`
  return Response.html(page("Log in", content))
})

const Login = Schema.Struct({
  name: Schema.String,
  password: Schema.Redacted(Schema.String),
  remember: Schema.optionalKey(Schema.String)
})

const login = Effect.gen(function* () {
  const { name, password, remember } = yield* Body.form(Login)
  const visit = yield* Visit
  if (members.has(name) && Auth.equals(password, "secret")) {
    yield* visit.rotate(name, { remember: remember !== undefined })
    return Response.redirect("/members", { status: 303 })
  }
  yield* visit.flash({ notice: "That is not it." })
  return Response.redirect("/members/login", { status: 303 })
})

const logout = Effect.gen(function* () {
  const visit = yield* Visit
  yield* visit.invalidate
  yield* visit.flash({ notice: "You have logged out." })
  return Response.redirect("/members/login", { status: 303 })
})

const home = Effect.gen(function* () {
  const [{ name }, { count }] = [yield* Member, yield* (yield* Visit).get]
  const content = html`<p>You have counted ${count} visits in this session.</p>
  <form method="post" action="/members/logout"><button>Log out</button></form>`
  return Response.html(page(`Hello, ${name}`, content))
})

const visit = Effect.gen(function* () {
  const { count } = yield* (yield* Visit).update((v) => ({ count: v.count + 1 }))
  return Response.text(`Visit ${count} of this session`)
})

const required = Auth.require(
  Member,
  Auth.session(Visit, (id) => Effect.succeed(members.get(id)))
)
const toLogin = Middleware.catch(HttpError.Unauthorized, () =>
  Effect.fail(new Redirect.SeeOther({ location: "/members/login" }))
)

export const routes = {
  members: Route.mount(
    "/members",
    App.make({
      home: Route.get("", home).pipe(Route.use(required), Route.use(toLogin)),
      me: Route.get("/me", Effect.map(Member, Response.json)).pipe(Route.use(required)),
      login: Route.view("/login", { get: form, post: login }),
      logout: Route.post("/logout", logout),
      visit: Route.get("/visit", visit)
    }).pipe(App.use(Session.make(Visit, { store: RecordStore.memory({ capacity: 10_000 }) })), App.use(Csrf.make()))
  )
}

export const group: Group = {
  id: "members",
  title: "Sessions and logins",
  text: "What the server remembers of a browser, typed by a schema, read when a handler asks, saved when it has changed.",
  cards: [
    {
      title: "A session",
      text: html`Two requests at a time lose no update of it. Memory, Redis, SQL, or encrypted in the cookie itself.`,
      example: "40-sessions.ts",
      tries: [{ label: "/members/visit", path: "/members/visit" }]
    },
    {
      title: "A login",
      text: html`An identity comes by <code>rotate</code> alone, which changes the session's id; strangers are led to the form.`,
      example: "41-login.ts",
      tries: [
        { label: "/members", path: "/members", open: true },
        { label: "/members/me", path: "/members/me" }
      ]
    }
  ]
}
