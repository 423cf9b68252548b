// A form, shown and read: its fields are decoded by a schema, numbers and checkboxes included. What is wrong is shown in the form.
//   curl localhost:8080/                                                  # <form method="post">
//   curl -d 'login=ada&password=secret&age=36' localhost:8080/            # ada is 36, without news
//   curl -d 'login=ada&password=secret&age=36&news=on' localhost:8080/    # ada is 36, with news
//   curl -i -d 'login=ada&password=secret&age=x' localhost:8080/          # 422 and value="ada" and age: Expected a string representing a finite number
//   curl -i -d 'login=ada&password=guess&age=36' localhost:8080/          # 403 and That is not it
//   curl -i --json '{}' localhost:8080/                                   # 415
import { Effect, Redacted, Schema } from "effect"
import { App, Body, HttpError, html, Response, Route, Server } from "effect-web"

const Login = Schema.Struct({
  login: Schema.NonEmptyString,
  password: Schema.Redacted(Schema.String),
  age: Schema.Finite,
  news: Schema.optionalKey(Schema.Literal("on")) // a browser sends nothing for a checkbox that is not ticked
})

// What was typed, as it came.
const Typed = Schema.Struct({ login: Schema.optionalKey(Schema.String), age: Schema.optionalKey(Schema.String) })

const page = (typed: typeof Typed.Type, issues: ReadonlyArray<HttpError.Issue>) => html`<!doctype html>
<html lang="en">
  <title>Log in</title>
  <ul>${issues.map(({ message, path }) => html`<li>${path.join(".")}: ${message}</li>`)}</ul>
  <form method="post">
    <label>Name <input name="login" value="${typed.login}" autocomplete="username"></label>
    <label>Password <input name="password" type="password" autocomplete="current-password"></label>
    <label>Age <input name="age" value="${typed.age}"></label>
    <label><input name="news" type="checkbox"> Send me news</label>
    <button>Log in</button>
  </form>
</html>`

const submit = Effect.gen(function* () {
  const { age, login, news, password } = yield* Body.form(Login)
  if (Redacted.value(password) !== "secret") return yield* new HttpError.Forbidden({ text: "That is not it" })
  return Response.text(`${login} is ${age}, ${news === "on" ? "with" : "without"} news`)
})

// The body is read once; a second reader gets the same.
const again = ({ issues = [] }: HttpError.UnprocessableContent) =>
  Effect.map(Body.form(Typed), (typed) => Response.html(page(typed, issues), { status: 422 }))

export const app = App.make({
  login: Route.view("/", {
    get: Response.html(page({}, [])),
    post: Effect.catchTag(submit, "UnprocessableContent", again)
  })
})

if (import.meta.main) Server.run(app)
