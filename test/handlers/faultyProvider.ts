/**
 * A provider that can be made to answer wrongly, as a real one never does. It has no pages: a test is its own way back.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Jose from "jose"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import type * as Handler from "../../src/Handler.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { type Pair, pair } from "../middleware/tokens.ts"

/** What the provider answers; a test changes it. */
export interface Faults {
  /** Members of its description. */
  description: Readonly<Record<string, unknown>>
  /** Claims of the ID token. */
  claims: Readonly<Record<string, unknown>>
  /** Members of the answer for a code. */
  more: Readonly<Record<string, unknown>>
  /** The credentials of the client, as they came for a code. */
  came: { readonly authorization: string | undefined; readonly form: Readonly<Record<string, unknown>> } | undefined
  /** Who signs the ID token; the provider unless given. */
  signer: Pair | undefined
  /** The answer for a code, in place of tokens. */
  token: Handler.Handler | undefined
}

/** Starts it; it ends with the scope. */
export const start = Effect.gen(function* () {
  const own = yield* pair("RS256", "1")
  const faults: Faults = { description: {}, claims: {}, more: {}, came: undefined, signer: undefined, token: undefined }
  const described = Effect.map(Request.url, ({ origin }) =>
    Response.json({
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      jwks_uri: `${origin}/jwks`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      ...faults.description
    })
  )
  const tokens = Effect.gen(function* () {
    const { origin } = yield* Request.url
    const authorization = yield* Request.header("authorization")
    faults.came = { authorization, form: yield* Body.form(Schema.Record(Schema.String, Schema.String)) }
    const now = Math.floor(performance.timeOrigin / 1000 + performance.now() / 1000)
    const claims = { iss: origin, sub: "ada", aud: "app", iat: now, exp: now + 60, ...faults.claims }
    const { kid, privateKey } = faults.signer ?? own
    const idToken = yield* Effect.promise(() =>
      new Jose.SignJWT(claims).setProtectedHeader({ alg: "RS256", kid }).sign(privateKey)
    )
    return Response.json({ access_token: "at", token_type: "Bearer", id_token: idToken, ...faults.more })
  })
  const { url } = yield* Testing.socketClient(
    App.make({
      described: Route.get("/.well-known/openid-configuration", described),
      jwks: Route.get(
        "/jwks",
        Effect.sync(() => Response.json({ keys: [own.jwk] }))
      ),
      token: Route.post(
        "/token",
        Effect.suspend(() => faults.token ?? tokens)
      )
    })
  )
  return { url, faults }
})
