/**
 * An app where one logs in at a provider, and what its tests do with it.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as App from "../../src/App.ts"
import * as Oidc from "../../src/handlers/Oidc.ts"
import * as RecordStore from "../../src/RecordStore.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Sealed from "../../src/Sealed.ts"
import * as Session from "../../src/Session.ts"
import type * as Testing from "../../src/testing/Testing.ts"
import * as Provider from "./oidcProvider.ts"

/** The session of the app. */
export class Visit extends Session.Service<Visit>()("Visit", {
  fields: { seen: Schema.Int },
  empty: { seen: 0 },
  identity: Schema.String
}) {}

export const keys = Sealed.keys("a secret of at least 32 bytes, for tests")

type Options<E> = Oidc.Options<Visit, string, E, never, Session.SessionError>

/** What a test leaves out: the client that the provider knows, and an identity that is the subject. */
export const options = <E = never>(issuer: string, more: Partial<Options<E>> = {}): Options<E> => ({
  session: Visit,
  keys,
  issuer,
  ...Provider.client,
  origin: "http://app.test",
  onLogin: ({ claims }) => Effect.succeed(claims.sub),
  ...more
})

const who = Effect.gen(function* () {
  const { identity, update } = yield* Visit
  const { seen } = yield* update((v) => ({ seen: v.seen + 1 }))
  return Response.text(`${Option.getOrElse(yield* identity, () => "nobody")} ${seen}`)
})

/** `/who` says who is there and how often they were; `/auth` is the login. */
export const appOf = (options: Options<never>) =>
  App.make({ who: Route.get("/who", who), auth: Route.mount("/auth", Oidc.make(options)) }).pipe(
    App.use(Session.make(Visit, { store: RecordStore.memory() }))
  )

/** Who is there, by the app. */
export const whoIs = (client: Testing.Client) => Effect.flatMap(client.get("/who"), (response) => response.text)

/** Begins a login: where the provider is. */
export const begin = Effect.fnUntraced(function* (client: Testing.Client, path = "/auth/login") {
  const { headers, status } = yield* client.get(path)
  assert.strictEqual(status, 303)
  return new URL(headers.location ?? "")
})

/** Begins a login and logs in at the provider: the path of the way back. */
export const loginAt = Effect.fnUntraced(function* (client: Testing.Client, path = "/auth/login", name = "ada") {
  const back = yield* new Provider.Browser().visit((yield* begin(client, path)).href, name)
  assert.strictEqual(back.origin + back.pathname, "http://app.test/auth/callback")
  return back.pathname + back.search
})
