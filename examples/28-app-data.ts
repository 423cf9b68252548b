// What an app shares between requests are services, not globals. The compiler knows who needs them, layers provide them.
//   curl localhost:8080/users/1                       # {"id":1,"name":"Ada"}
//   curl -i localhost:8080/users/2                    # 404 and "id":2
//   curl -X POST 'localhost:8080/users?name=Grace'    # {"id":2,"name":"Grace"}
//   curl localhost:8080/users/2                       # {"id":2,"name":"Grace"}
import { Context, Effect, Layer, Ref, Schema } from "effect"
import { App, HttpError, Request, Response, Route, Server } from "effect-web"

const User = Schema.Struct({ id: Schema.Int, name: Schema.String })

class UserNotFound extends HttpError.define<UserNotFound>()("UserNotFound", { status: 404 }, { id: Schema.Int }) {}

class Users extends Context.Service<
  Users,
  {
    readonly find: (id: number) => Effect.Effect<typeof User.Type, UserNotFound>
    readonly add: (name: string) => Effect.Effect<typeof User.Type>
  }
>()("app/Users") {
  static readonly layer = Layer.effect(
    Users,
    Effect.gen(function* () {
      const users = yield* Ref.make<ReadonlyArray<typeof User.Type>>([{ id: 1, name: "Ada" }])
      return {
        find: Effect.fnUntraced(function* (id: number) {
          const user = (yield* Ref.get(users)).find((user) => user.id === id)
          return user ?? (yield* new UserNotFound({ id }))
        }),
        add: (name: string) =>
          Ref.modify(users, (all) => {
            const user = { id: all.length + 1, name }
            return [user, [...all, user]]
          })
      }
    })
  )
}

const find = Effect.gen(function* () {
  const { id } = yield* Request.decodeParams(Schema.Struct({ id: Schema.Int }))
  return Response.json(yield* Users.use((users) => users.find(id)))
})

const add = Effect.gen(function* () {
  const { name } = yield* Request.decodeQuery(Schema.Struct({ name: Schema.NonEmptyString }))
  return Response.json(yield* Users.use((users) => users.add(name)))
})

export const app = App.make({ find: Route.get("/users/{id}", find), add: Route.post("/users", add) })

export const layer = Users.layer

if (import.meta.main) Server.layer(app).pipe(Layer.provide(layer), Server.launch())
