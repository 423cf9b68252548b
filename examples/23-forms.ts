// A form, shown and read: its fields are decoded by a schema, numbers included.
//   curl localhost:8080/                                           # <form method="post">
//   curl -d 'login=ada&password=secret&age=36' localhost:8080/     # ada is 36
//   curl -i -d 'login=ada&password=secret&age=x' localhost:8080/   # 422 and "path":["age"]
//   curl -i --json '{}' localhost:8080/                            # 415
import { Effect, Redacted, Schema } from "effect"
import { App, Body, HttpError, html, Response, Route, Server } from "effect-web"

const Login = Schema.Struct({
  login: Schema.NonEmptyString,
  password: Schema.Redacted(Schema.String),
  age: Schema.Finite
})

const page = Response.html(html`<!doctype html>
<html lang="en">
  <title>Log in</title>
  <form method="post">
    <label>Name <input name="login" autocomplete="username" required></label>
    <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
    <label>Age <input name="age" type="number" required></label>
    <button>Log in</button>
  </form>
</html>`)

const submit = Effect.gen(function* () {
  const { age, login, password } = yield* Body.form(Login)
  if (Redacted.value(password) !== "secret") return yield* new HttpError.Forbidden({ text: "That is not it" })
  return Response.text(`${login} is ${age}`)
})

export const app = App.make({
  login: Route.view("/", { get: Effect.succeed(page), post: submit })
})

if (import.meta.main) Server.run(app)
