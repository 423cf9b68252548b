// A server as a layer among the application's other layers: it starts after what it needs and stops before. Here on two addresses.
//   curl localhost:8080/           # greeting 1
//   curl localhost:8080/           # greeting 2
import { Config, Context, Effect, Layer, Ref } from "effect"
import { App, Response, Route, Server, Site } from "effect-web"

class Greeter extends Context.Service<Greeter, { readonly greet: Effect.Effect<string> }>()("app/Greeter") {
  static readonly layer = Layer.effect(
    Greeter,
    Effect.gen(function* () {
      const count = yield* Effect.acquireRelease(Ref.make(0), () => Effect.log("the greeter goes last"))
      const next = Ref.updateAndGet(count, (n) => n + 1)
      return { greet: Effect.map(next, (n) => `greeting ${n}`) }
    })
  )
}

const greet = Effect.map(
  Greeter.use((greeter) => greeter.greet),
  (text) => Response.text(text)
)

export const app = App.make({ home: Route.get("/", greet) })

export const layer = Greeter.layer

const server = Effect.gen(function* () {
  const port = yield* Config.Int("PORT").pipe(Config.withDefault(8080))
  return Server.layer(app, { sites: [Site.tcp({ port }), Site.tcp({ host: "127.0.0.1", port: 0 })] })
})

// A layer of its own can ask the server for its addresses.
const announce = Layer.effectDiscard(
  Server.Server.use(({ addresses }) => Effect.log(`listening on ${addresses.map(({ url }) => url).join(" and ")}`))
)

export const main = announce.pipe(Layer.provideMerge(Layer.unwrap(server)), Layer.provide(layer))

// As the whole program, as `Server.run` runs an app: with its banner, its signals and its exit codes.
if (import.meta.main) main.pipe(Server.launch())
