// Passwords: stored as hashes, compared in the same time for users that there are not, hashed again when that became weak.
//   curl -i -d 'name=ada&password=correct horse' localhost:8080/login    # 200 and Welcome, ada
//   curl -i -d 'name=ada&password=guess' localhost:8080/login            # 401 and That is not it
//   curl -i -d 'name=eve&password=guess' localhost:8080/login            # 401 and That is not it
//   curl localhost:8080/weak                                             # false
import { Effect, Schema } from "effect"
import { App, Body, HttpError, Password, Response, Route, Server } from "effect-web"

// A table of users; Ada's hash is of long ago, at low costs.
const hashes = new Map([
  ["ada", "$scrypt$ln=10,r=8,p=1$YW4gb2xkIHNhbHQgMTYgYg$NxMbq9nbMIL1W1wWbTEb0A0M0SpBhAldeH8JVSnpwZY"]
])

const Login = Schema.Struct({ name: Schema.String, password: Schema.Redacted(Schema.String) })

const login = Effect.gen(function* () {
  const { name, password } = yield* Body.form(Login)
  const stored = hashes.get(name)
  // Also where there is nobody: who measures the time learns nothing.
  const isRight = yield* Password.verify(password, stored)
  if (stored === undefined || !isRight) return yield* new HttpError.Unauthorized({ text: "That is not it" })
  // Only now the password is known.
  if (yield* Password.needsRehash(stored)) hashes.set(name, yield* Password.hash(password))
  return Response.text(`Welcome, ${name}`)
})

const weak = Effect.map(
  Effect.suspend(() => Password.needsRehash(hashes.get("ada") ?? "")),
  (isWeak) => Response.json(isWeak)
)

export const app = App.make({
  login: Route.post("/login", login),
  weak: Route.get("/weak", weak)
})

if (import.meta.main) Server.run(app)
