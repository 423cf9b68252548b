/**
 * Queries, headers, forms and JSON, decoded by schemas; limits of bodies.
 */
import { Effect, Redacted, Schema } from "effect"
import { Body, HttpError, html, Request, Response, Route } from "effect-web"
import type { Group } from "./page.ts"

const Search = Schema.Struct({
  q: Schema.String,
  page: Schema.Int.pipe(Schema.withDecodingDefaultType(Effect.succeed(1))),
  tags: Schema.Array(Schema.String).pipe(Schema.withDecodingDefaultType(Effect.succeed([])))
})

const search = Effect.map(Request.decodeQuery(Search), (query) => Response.json(query))

const about = Effect.gen(function* () {
  const [method, url, client] = yield* Effect.all([Request.method, Request.url, Request.remote])
  const userAgent = yield* Request.header("user-agent")
  return Response.json({ method, url: url.href, client, userAgent })
})

const Login = Schema.Struct({
  login: Schema.NonEmptyString,
  password: Schema.Redacted(Schema.String),
  age: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(18))
})

const login = Effect.gen(function* () {
  const { age, login, password } = yield* Body.form(Login)
  if (Redacted.value(password) !== "secret") return yield* new HttpError.Forbidden({ text: "The password is: secret" })
  return Response.json({ login, age, password: String(password) })
})

const NewUser = Schema.Struct({
  name: Schema.NonEmptyString,
  email: Schema.String.check(Schema.isPattern(/^\S+@\S+$/))
})
const User = Schema.Struct({ id: Schema.Int, ...NewUser.fields })

class EmailTaken extends HttpError.define<EmailTaken>()("EmailTaken", { status: 409 }, { email: Schema.String }) {}

const createUser = Route.post(
  "/users",
  {
    summary: "Creates a user",
    body: Body.json(NewUser, { limit: "1 kB" }),
    success: Response.schema(User, { status: 201 }),
    errors: [EmailTaken]
  },
  Effect.fnUntraced(function* ({ body }) {
    if (body.email === "taken@example.com") return yield* new EmailTaken({ email: body.email })
    return { id: 1, ...body }
  })
)

const length = Effect.map(Body.text(), (text) => Response.text(`${text.length} characters`))

export const routes = {
  search: Route.get("/search", search),
  about: Route.get("/about", about),
  login: Route.post("/login", login),
  createUser,
  note: Route.post("/note", length).pipe(Route.bodyLimit("16 B"))
}

const json = { "content-type": "application/json" }
const post = { method: "POST", path: "/users" }

export const group: Group = {
  id: "requests",
  title: "Requests",
  text: "What comes from outside is decoded by schemas. What does not fit is answered with where and why.",
  cards: [
    {
      title: "Query, headers, cookies, parameters",
      text: html`Numbers are read from their texts, absent names get defaults, a list is always a list.`,
      example: "21-request.ts",
      tries: [
        { label: "?q=effect&page=2", path: "/search?q=effect&page=2" },
        { label: "?q=a&tags=x&tags=y", path: "/search?q=a&tags=x&tags=y" },
        { label: "?page=two", path: "/search?page=two" },
        { label: "/about this request", path: "/about" }
      ]
    },
    {
      title: "Limits",
      text: html`1 MiB unless the app, the route or the reader says otherwise; here 16 bytes. Decompressed bytes count.`,
      example: "24-body-limits.ts",
      tries: [
        { label: "16 bytes", method: "POST", path: "/note", body: "exactly 16 bytes" },
        { label: "17 bytes", method: "POST", path: "/note", body: "that is one more!" }
      ]
    },
    {
      title: "A form",
      text: html`Urlencoded fields by a schema. The password is <code>Redacted</code>: it cannot be logged by mistake.`,
      example: "23-forms.ts",
      control: html`<form action="/login" method="post">
        <label>Name <input name="login" value="ada" autocomplete="username"></label>
        <label>Age <input name="age" value="36" inputmode="numeric"></label>
        <label class="whole">Password <input name="password" type="password" value="secret" autocomplete="off"></label>
        <button>Log in</button>
      </form>`,
      tries: []
    },
    {
      title: "A described JSON endpoint",
      text: html`Body, success and failures are declared, so the handler takes a value and returns a value.`,
      example: "25-described-routes.ts",
      control: html`<form action="/users" method="post" data-as="json">
        <label>Name <input name="name" value="Ada"></label>
        <label>Email <input name="email" value="ada@example.com"></label>
        <button>Create</button>
      </form>`,
      tries: [
        { ...post, label: "taken: 409", headers: json, body: '{"name":"Bob","email":"taken@example.com"}' },
        { ...post, label: "not the schema: 422", headers: json, body: '{"name":"","email":"ada"}' },
        { ...post, label: "not JSON: 400", headers: json, body: '{"name":"Ada"' },
        { ...post, label: "wrong type: 415", headers: { "content-type": "text/csv" }, body: "name,email" },
        { ...post, label: "too large: 413", headers: json, body: JSON.stringify({ name: "A".repeat(2000) }) }
      ]
    }
  ]
}
