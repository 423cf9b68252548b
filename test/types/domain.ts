/**
 * What the programs of the fixtures are about.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as HttpError from "../../src/HttpError.ts"
import * as Response from "../../src/Response.ts"

export const NewUser = Schema.Struct({ name: Schema.String, email: Schema.String })
export const User = Schema.Struct({ id: Schema.String, name: Schema.String, at: Schema.Date })
export type User = typeof User.Type

/** Has a response. */
export class EmailTaken extends HttpError.define<EmailTaken>()(
  "EmailTaken",
  { status: 409 },
  { email: Schema.String }
) {}

/** Has none. */
export class DbError extends Schema.TaggedError<DbError>()("DbError", {}) {}
/** Has none. */
export class CacheError extends Schema.TaggedError<CacheError>()("CacheError", {}) {}

export class Users extends Context.Service<
  Users,
  { readonly create: (user: typeof NewUser.Type) => Effect.Effect<User, EmailTaken> }
>()("app/Users") {}
export class Db extends Context.Service<Db, { readonly ask: Effect.Effect<string> }>()("app/Db") {}
export class CurrentUser extends Context.Service<CurrentUser, { readonly name: string }>()("app/CurrentUser") {}
export class Sessions extends Context.Service<Sessions, { readonly user: string }>()("app/Sessions") {}

export const ok = Effect.succeed(Response.text("ok"))
export const asksDb = Effect.map(
  Db.use((db) => db.ask),
  Response.text
)
export const failsWithDb = Effect.fail(new DbError())
