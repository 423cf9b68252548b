/**
 * A program that fails to start at a stage: `failing.ts <stage> <folder> [port that is taken]`.
 *
 * It says what it builds, and what it releases.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as App from "../../../src/App.ts"
import * as Background from "../../../src/Background.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import * as Server from "../../../src/server/Server.ts"
import * as Site from "../../../src/server/Site.ts"

const [stage = "", folder = "", taken = "0"] = process.argv.slice(2)

const say = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))
const resource = (name: string) => Effect.acquireRelease(say(`+${name}`), () => say(`-${name}`))
const failsAt = <A>(at: string, effect: A) => (stage === at ? Effect.fail(new Error(`no ${at}`)) : effect)
const hook = (name: string) => App.onStart(Effect.andThen(resource(name), failsAt(name, Effect.void)))

class Database extends Context.Service<Database, string>()("test/Database") {
  static readonly layer = Layer.effect(
    Database,
    Effect.andThen(
      resource("database"),
      Effect.suspend(() => failsAt("database", Effect.succeed("db")))
    )
  )
}

const mounted = Layer.merge(
  HttpRouter.add("GET", "/", HttpServerResponse.text("mounted")),
  Layer.effectDiscard(
    Effect.andThen(resource("mounted"), Effect.orDie(Effect.suspend(() => failsAt("mounted", Effect.void))))
  )
)

const app = App.make({
  home: Route.get(
    "/",
    Effect.map(Database, (name) => Response.text(name))
  ),
  ...(stage === "compile" ? { again: Route.get("", Response.text("again")) } : undefined),
  mounted: Route.mountHandler("/mounted", mounted)
}).pipe(
  hook("one"),
  App.onStop(say("stop")),
  hook("two"),
  App.onStart(Background.fork("task", Effect.andThen(resource("task"), Effect.never))),
  hook("three"),
  App.onStart(stage === "interrupted" ? Effect.andThen(say("waits"), Effect.sleep("1 minute")) : Effect.void)
)

const host = "127.0.0.1"
const first = Site.tcp({ host, port: 0 })
const file = Site.unix({ path: `${folder}/app.sock` })
const sites: Readonly<Record<string, Server.Options["sites"]>> = {
  certificate: [first, file, Site.tls({ host, port: 0, key: `${folder}/none.pem`, cert: `${folder}/none.pem` })],
  address: [first, file, Site.tcp({ host, port: Number(taken) })],
  path: [first, file, Site.unix({ path: `${folder}/taken.sock` })]
}

Server.layer(app, { sites: sites[stage] ?? [first, file] }).pipe(Layer.provide(Database.layer), Server.launch())
