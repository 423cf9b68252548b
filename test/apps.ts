/**
 * Runs apps without a server: dispatches a request and runs the handler of its target.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import type * as App from "../src/App.ts"
import { type Handler, RouteContext } from "../src/Handler.ts"
import { compile, type Target } from "../src/internal/routing/compile.ts"
import * as Response from "../src/Response.ts"

/** What of a request is not in its line. */
export interface Sent {
  readonly host?: string
  readonly headers?: Record<string, string>
}

/** The answer as a test reads it. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

const read = (response: HttpServerResponse.HttpServerResponse): Effect.Effect<Answer> =>
  Effect.map(
    Effect.promise(() => HttpServerResponse.toWeb(response).text()),
    (text) => ({ status: response.status, headers: { ...response.headers }, text })
  )

const target = (app: App.Any, line: string, { host = "app.test", headers = {} }: Sent) => {
  const [, method = "", path = "", search = ""] = /^(\S+) ([^?]*)(.*)$/.exec(line) ?? []
  const compiled = compile(app)
  // What a web Request would have normalised is put back as it was.
  const request = HttpServerRequest.fromWeb(new Request("http://app.test/", { method, headers })).modify({
    url: path + search
  })
  return { prepare: compiled.prepare, found: compiled.dispatch(method, host, path, search), request }
}

const run = (
  app: App.Any,
  line: string,
  sent: Sent,
  pick: (target: Target) => Handler<unknown, unknown>
): Effect.Effect<Answer, unknown, Scope.Scope> => {
  const { found, prepare, request } = target(app, line, sent)
  return Effect.andThen(prepare, pick(found)).pipe(
    Effect.flatMap(read),
    Effect.provideService(HttpServerRequest.HttpServerRequest, request),
    Effect.provideService(RouteContext, found.context)
    // The needs of the test's apps are the engine's.
  ) as Effect.Effect<Answer, unknown, Scope.Scope>
}

/** Runs the handler, its failures as they are. */
export const handle = (app: App.Any, line: string, sent: Sent = {}) => run(app, line, sent, ({ handler }) => handler)

/** Runs the handler; failures are answered. */
export const answer = (app: App.Any, line: string, sent: Sent = {}) =>
  run(app, line, sent, (target) => target.answer) as Effect.Effect<Answer, never, Scope.Scope>

/** A handler that says where it is. */
export const says = (text: string) => Effect.succeed(Response.text(text))

/** The name, the pattern and the parameters of the route that answers. */
export const where: Handler<never, RouteContext> = Effect.map(RouteContext, ({ name, path, params }) =>
  Response.text([name, path, JSON.stringify(params)].join(" "))
)
