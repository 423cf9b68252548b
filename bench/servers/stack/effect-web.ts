/** effect-web with what a site in production has around its routes. The name in the answer is the session's. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import {
  AccessLog,
  App,
  Cors,
  Csrf,
  RequestId,
  Response,
  Route,
  Sealed,
  SecurityHeaders,
  Server,
  Session
} from "../../../dist/index.js"
import { origin, secret } from "./site.ts"

class Visit extends Session.Service<Visit>()("Visit", { fields: { name: Schema.String }, empty: { name: "you" } }) {}

const app = App.make({
  json: Route.get(
    "/json",
    Effect.gen(function* () {
      const { name } = yield* (yield* Visit).get
      return Response.json({ message: `Hello, ${name}!` })
    })
  ),
  login: Route.get(
    "/login",
    Effect.gen(function* () {
      yield* (yield* Visit).set({ name: "Ada" })
      return Response.empty({ status: 204 })
    })
  )
}).pipe(
  App.use(Csrf.make()),
  App.use(Session.make(Visit, { store: Session.cookie({ keys: Sealed.keys(secret) }) })),
  App.use(Cors.make({ origins: [origin], credentials: true })),
  App.use(SecurityHeaders.make()),
  App.use(AccessLog.make({ format: AccessLog.json, write: AccessLog.stdout })),
  App.use(RequestId.make())
)

Server.run(app, { port: Number(process.env.PORT), host: "127.0.0.1" })
