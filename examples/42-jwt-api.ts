// An API with JSON Web Tokens: one route gives a token for a password, the others take it. An issuer of its own is a matter of `keys`.
//   curl -H 'Authorization: Basic YWRhOmxvdmVsYWNl' -X POST localhost:8080/token   # "token_type":"Bearer","expires_in":900
//   curl -i localhost:8080/me                                 # 401 and www-authenticate: Bearer realm="api"
//   curl -i -H 'Authorization: Bearer a.b.c' localhost:8080/me    # 401 and error="invalid_token", error_description="The token is malformed"
//   curl -H 'Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJyb2xlcyI6WyJhZG1pbiJdLCJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJhdWQiOiJhcGkiLCJzdWIiOiJhZGEiLCJleHAiOjQxMDI0NDQ4MDB9.ZegAvFEj152kzfe1QutkBXmvdo3Vuzk5CCui5fQq5ow' localhost:8080/me   # ada is admin
import { Context, Effect, Redacted, Schema } from "effect"
import { App, Auth, Jwt, Response, Route, Server } from "effect-web"

class User extends Context.Service<User, string>()("app/User") {}

const Claims = Schema.Struct({ sub: Schema.String, roles: Schema.Array(Schema.String) })
class Token extends Context.Service<Token, typeof Claims.Type>()("app/Token") {}

// A real one: yield* Jwt.secretConfig("JWT_SECRET"), or Jwt.remoteKeySet("https://id.example/jwks") for tokens of somebody else.
const keys = Jwt.secret("only-for-this-example-0123456789")
const who = { issuer: "https://id.example", audience: "api" }

const password = Auth.basic(({ username, password }) =>
  Effect.succeed(username === "ada" && Auth.equals(password, "lovelace") ? username : undefined)
)
const bearer = Auth.bearer(Jwt.verify({ keys, ...who, claims: Claims }), { realm: "api" })

const token = Effect.gen(function* () {
  const subject = yield* User
  const signed = yield* Jwt.sign({ roles: ["admin"] }, { key: keys, expiresIn: "15 minutes", subject, ...who })
  return Response.json(
    { token_type: "Bearer", expires_in: 900, access_token: Redacted.value(signed) },
    { headers: { "cache-control": "no-store" } }
  )
})

const me = Effect.map(Token, ({ sub, roles }) => Response.text(`${sub} is ${roles.join(", ")}`))

export const app = App.make({
  token: Route.post("/token", token).pipe(Route.use(Auth.require(User, password))),
  me: Route.get("/me", me).pipe(Route.use(Auth.require(Token, bearer)))
})

if (import.meta.main) Server.run(app)
