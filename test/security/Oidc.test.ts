/**
 * Attacks on a login at a provider: RFC 9700 (best current practice), RFC 6819 (threat model), RFC 9207 (mix-up).
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Response from "../../src/Response.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as FaultyProvider from "../handlers/faultyProvider.ts"
import { appOf, begin, loginAt, options, whoIs } from "../handlers/oidcApp.ts"
import * as Provider from "../handlers/oidcProvider.ts"
import { pair } from "../middleware/tokens.ts"
import { recorder } from "../server/both.ts"
import { attacks } from "./attacks.ts"

const scope = Scope.makeUnsafe()
const issuer = await Effect.runPromise(Scope.provide(Provider.start, scope))
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const app = appOf(options(issuer))

/** The status, and what the client is told. */
const answer = (client: Testing.Client, path: string) =>
  Effect.flatMap(client.get(path), ({ json, status }) =>
    Effect.map(json, (body) => `${status} ${(body as { readonly detail: string }).detail}`)
  )

const notBegun = "400 This login was not begun in this browser, or too long ago: please begin again"
const stale = "400 This login is not valid any more: please begin again"

/** Runs the attack with a browser; whatever it does, nobody is logged in there after. */
const browser = (attack: (client: Testing.Client) => Effect.Effect<unknown, unknown, Scope.Scope>) =>
  Effect.gen(function* () {
    const client = yield* Testing.client(app)
    yield* attack(client)
    assert.match(yield* whoIs(client), /^nobody /)
  })

const changed = (path: string, change: (parameters: URLSearchParams) => void): string => {
  const url = new URL(path, "http://app.test")
  change(url.searchParams)
  return url.pathname + url.search
}

attacks("the way back from the provider", [
  {
    attack: "a callback that was never begun",
    stoppedBy: "the cookie of a login under way, 400",
    run: browser((client) =>
      Effect.map(answer(client, "/auth/callback?code=a&state=b"), (says) => assert.strictEqual(says, notBegun))
    )
  },
  {
    attack: "the attacker's callback in the victim's browser (login CSRF)",
    stoppedBy: "the cookie of a login under way, 400",
    run: browser((victim) =>
      Effect.gen(function* () {
        const attacker = yield* Testing.client(app)
        const back = yield* loginAt(attacker, "/auth/login", "mallory")
        assert.strictEqual(yield* answer(victim, back), notBegun)
        yield* begin(victim)
        assert.strictEqual(yield* answer(victim, back), notBegun)
      })
    )
  },
  {
    attack: "the attacker's code with the state of the victim's login (code injection)",
    stoppedBy: "PKCE: the code is for another verifier, 400",
    run: browser((victim) =>
      Effect.gen(function* () {
        const code = new URL(yield* loginAt(yield* Testing.client(app), "/auth/login", "mallory"), issuer).searchParams
        const back = yield* loginAt(victim)
        const swapped = changed(back, (parameters) => parameters.set("code", code.get("code")!))
        assert.strictEqual(yield* answer(victim, swapped), stale)
      })
    )
  },
  {
    attack: "another state, none, or two",
    stoppedBy: "the state of the login under way, 400",
    run: browser((client) =>
      Effect.gen(function* () {
        const back = yield* loginAt(client)
        for (const change of [
          (all: URLSearchParams) => all.set("state", `${all.get("state")}x`),
          (all: URLSearchParams) => all.delete("state"),
          (all: URLSearchParams) => all.append("state", all.get("state")!)
        ]) {
          assert.strictEqual(yield* answer(client, changed(back, change)), notBegun)
        }
      })
    )
  },
  {
    attack: "no code, or two",
    stoppedBy: "there is one, 400",
    run: browser((client) =>
      Effect.gen(function* () {
        const back = yield* loginAt(client)
        assert.strictEqual(
          yield* answer(
            client,
            changed(back, (all) => all.delete("code"))
          ),
          notBegun
        )
        assert.strictEqual(
          yield* answer(
            client,
            changed(back, (all) => all.append("code", "b"))
          ),
          notBegun
        )
      })
    )
  },
  {
    attack: "the same callback again",
    stoppedBy: "the login is over with the first, 400",
    run: Effect.gen(function* () {
      const client = yield* Testing.client(app)
      const back = yield* loginAt(client)
      assert.strictEqual((yield* client.get(back)).status, 303)
      assert.strictEqual(yield* answer(client, back), notBegun)
    })
  },
  {
    attack: "the same callback again, by who has kept the cookie",
    stoppedBy: "the provider takes a code once, 400",
    run: browser((thief) =>
      Effect.gen(function* () {
        const client = yield* Testing.client(app)
        const back = yield* loginAt(client)
        const kept = (yield* Ref.get(client.cookies)).filter(({ name }) => name.startsWith("oidc-"))
        yield* client.get(back)
        yield* Ref.set(thief.cookies, kept)
        assert.strictEqual(yield* answer(thief, back), stale)
      })
    )
  },
  {
    attack: "a callback after ten minutes",
    stoppedBy: "the seal of the cookie has expired, 400",
    run: browser((client) =>
      Effect.gen(function* () {
        const back = yield* loginAt(client)
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(yield* answer(client, back), notBegun)
      })
    )
  },
  {
    attack: "a cookie that is forged, or with a letter changed",
    stoppedBy: "its seal, 400",
    run: browser((client) =>
      Effect.gen(function* () {
        const back = yield* loginAt(client)
        const [cookie] = (yield* Ref.get(client.cookies)).filter(({ name }) => name.startsWith("oidc-"))
        for (const value of ["x", `${cookie!.value.slice(0, -1)}_`, cookie!.value.slice(0, 40), ""]) {
          const says = client.get(back, { headers: { cookie: `${cookie!.name}=${value}` } })
          yield* Ref.set(client.cookies, [])
          assert.strictEqual((yield* says).status, 400)
        }
      })
    )
  },
  {
    attack: "the cookie of one login under the name of another",
    stoppedBy: "the state is sealed in it, 400",
    run: browser((client) =>
      Effect.gen(function* () {
        yield* begin(client)
        const [one] = (yield* Ref.get(client.cookies)).filter(({ name }) => name.startsWith("oidc-"))
        const back = yield* loginAt(client)
        const state = new URL(back, issuer).searchParams.get("state")!
        yield* Ref.set(client.cookies, [])
        const headers = { cookie: `oidc-${state.slice(0, 8)}=${one!.value}` }
        assert.strictEqual((yield* client.get(back, { headers })).status, 400)
      })
    )
  },
  {
    attack: "the cookie of a login at another provider with the same keys",
    stoppedBy: "a seal is for one provider and client, 400",
    run: Effect.gen(function* () {
      const client = yield* Testing.client(app)
      const other = yield* Testing.client(appOf(options(issuer, { clientId: "other" })))
      const back = yield* loginAt(client)
      yield* Ref.set(other.cookies, yield* Ref.get(client.cookies))
      assert.strictEqual(yield* answer(other, back), notBegun)
    })
  },
  {
    attack: "an answer of another issuer, or of one that has no name (mix-up)",
    stoppedBy: "iss has to be the provider's, 400",
    run: browser((client) =>
      Effect.gen(function* () {
        const back = yield* loginAt(client)
        for (const change of [
          (all: URLSearchParams) => all.set("iss", "https://id.evil.test"),
          (all: URLSearchParams) => all.append("iss", "https://id.evil.test"),
          (all: URLSearchParams) => all.delete("iss")
        ]) {
          assert.strictEqual(yield* answer(client, changed(back, change)), notBegun)
        }
      })
    )
  },
  {
    attack: "an error with a script in its description",
    stoppedBy: "what the provider says is not told to the client, 403",
    run: browser((client) =>
      Effect.gen(function* () {
        const state = (yield* begin(client)).searchParams.get("state")
        const error = `error=access_denied&error_description=<script>alert(1)</script>&state=${state}&iss=${issuer}`
        assert.strictEqual(yield* answer(client, `/auth/callback?${error}`), "403 The login was refused")
        const other = `error=<script>&state=${state}&iss=${issuer}`
        assert.strictEqual(yield* answer(client, `/auth/callback?${other}`), "502 The login provider failed")
      })
    )
  },
  {
    attack: "an empty code, or what comes with other flows beside it",
    stoppedBy: "only code, state and iss are taken, 400",
    run: browser((client) =>
      Effect.gen(function* () {
        const back = yield* loginAt(client)
        const empty = changed(back, (all) => all.set("code", ""))
        assert.strictEqual(yield* answer(client, empty), notBegun)
        for (const name of ["response", "id_token", "token", "access_token"]) {
          const forged = changed(back, (all) => {
            all.set(name, "forged")
            all.set("code", "forged")
          })
          assert.strictEqual(yield* answer(client, forged), stale)
        }
      })
    )
  },
  {
    attack: "many logins under way, with names that no cookie of ours has",
    stoppedBy: "only those of logins are taken away, 303",
    run: browser((client) =>
      Effect.gen(function* () {
        const names = [
          ..."(){}[]/@:?<>".split("").map((each) => `oidc-${each}`),
          "oidc-aaaaaaaa",
          "__Host-oidc-(aaaaaaa"
        ]
        const cookie = names.map((name) => `${name}=x`).join("; ")
        const { headers, status } = yield* client.get("/auth/login", { headers: { cookie } })
        assert.strictEqual(status, 303)
        assert.notInclude(headers["set-cookie"] ?? "", "Expires")
      })
    )
  },
  {
    attack: "a session whose id the attacker knows (fixation)",
    stoppedBy: "another id with the login",
    run: Effect.gen(function* () {
      const [attacker, victim] = [yield* Testing.client(app), yield* Testing.client(app)]
      yield* whoIs(attacker)
      yield* Ref.set(victim.cookies, yield* Ref.get(attacker.cookies))
      yield* victim.get(yield* loginAt(victim))
      assert.match(yield* whoIs(victim), /^ada /)
      assert.match(yield* whoIs(attacker), /^nobody /)
    })
  },
  {
    attack: "a logout by a link or an image",
    stoppedBy: "it is a POST, 405",
    run: Effect.gen(function* () {
      const client = yield* Testing.client(app)
      yield* client.get(yield* loginAt(client))
      assert.strictEqual((yield* client.get("/auth/logout")).status, 405)
      assert.match(yield* whoIs(client), /^ada /)
    })
  }
])

describe("a return_to that is no path of this server is the home page", () => {
  const rows = [
    "https://evil.test",
    "//evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "/\t/evil.test",
    "/%09/evil.test",
    "/\n/evil.test",
    "javascript:alert(1)",
    "evil.test",
    "",
    "?a",
    "/ä",
    "/..//evil.test",
    "/.//evil.test",
    "/a/../..//evil.test",
    "/%2e%2e//evil.test",
    `/${"a".repeat(1024)}`
  ]
  for (const wanted of rows) {
    it.effect(JSON.stringify(wanted.slice(0, 40)), () =>
      Effect.gen(function* () {
        const client = yield* Testing.client(app)
        const { headers } = yield* client.get(
          yield* loginAt(client, `/auth/login?return_to=${encodeURIComponent(wanted)}`)
        )
        const { host, pathname } = new URL(headers.location ?? "", "http://app.test")
        assert.strictEqual(host, "app.test")
        assert.notMatch(headers.location ?? "", /^\/[/\\]/)
        assert.notInclude(pathname.slice(0, 2), "//")
      })
    )
  }
})

/** A login at the faulty provider: what the way back is answered with. */
const faulty = (
  fault: (faults: FaultyProvider.Faults) => Effect.Effect<void> | void,
  wanted: string,
  more: { readonly timeout?: Duration.Input } = {}
) =>
  Effect.gen(function* () {
    const { faults, url } = yield* FaultyProvider.start
    const client = yield* Testing.client(appOf(options(url, more)))
    // A machine at work may be slower than a short timeout: then it is asked again after the cooldown.
    while ((yield* client.get("/auth/login")).status === 503) yield* TestClock.adjust("10 seconds")
    const { searchParams } = yield* begin(client)
    faults.claims = { nonce: searchParams.get("nonce") }
    const changes = fault(faults)
    if (changes !== undefined) yield* changes
    assert.strictEqual(yield* answer(client, `/auth/callback?code=a&state=${searchParams.get("state")}`), wanted)
    assert.match(yield* whoIs(client), /^nobody /)
  })

const claims = (more: Readonly<Record<string, unknown>>) => (faults: FaultyProvider.Faults) => {
  faults.claims = { ...faults.claims, ...more }
}
const token = (answer: FaultyProvider.Faults["token"]) => (faults: FaultyProvider.Faults) => {
  faults.token = answer
}
const half = Stream.concat(Stream.make(new TextEncoder().encode('{"access_')), Stream.die(new Error("broken off")))
const invalid = "502 The login provider gave no valid answer"

attacks("what the provider answers for a code", [
  {
    attack: "an ID token for another login",
    stoppedBy: "the nonce, 400",
    run: faulty(claims({ nonce: "of-another-login" }), stale)
  },
  {
    attack: "an ID token without a nonce",
    stoppedBy: "the nonce, 502",
    run: faulty(claims({ nonce: undefined }), invalid)
  },
  { attack: "an ID token for another client", stoppedBy: "aud, 502", run: faulty(claims({ aud: "other" }), invalid) },
  {
    attack: "an ID token of another issuer",
    stoppedBy: "iss, 502",
    run: faulty(claims({ iss: "https://id.evil.test" }), invalid)
  },
  { attack: "an ID token that has expired", stoppedBy: "exp, 502", run: faulty(claims({ exp: 1 }), invalid) },
  {
    attack: "an ID token that somebody else has signed",
    stoppedBy: "its signature is checked, also over TLS, 502",
    run: faulty(
      (faults) =>
        Effect.map(pair("RS256", "1"), (other) => {
          faults.signer = other
        }),
      invalid
    )
  },
  {
    attack: "no ID token",
    stoppedBy: "there has to be one, 502",
    run: faulty(token(Effect.succeed(Response.json({ access_token: "a", token_type: "Bearer" }))), invalid)
  },
  {
    attack: "a page",
    stoppedBy: "it is no JSON, 502",
    run: faulty(token(Effect.succeed(Response.text("<html></html>"))), invalid)
  },
  {
    attack: "that it does not know this server",
    stoppedBy: "it is not told further, 502",
    run: faulty(
      token(Effect.succeed(Response.json({ error: "invalid_client", error_description: "x" }, { status: 401 }))),
      "502 The login provider refuses this server"
    )
  },
  {
    attack: "nothing at all",
    stoppedBy: "a timeout, 503",
    run: faulty(token(Effect.never), "503 The login provider does not answer", { timeout: "1 second" })
  },
  {
    attack: "half an answer",
    stoppedBy: "the connection is known to be broken, 502",
    run: faulty(token(Effect.succeed(Response.stream(half))), invalid)
  }
])

attacks("secrets", [
  {
    attack: "reading codes, tokens or the client's secret in the log",
    stoppedBy: "they are not logged, with failures neither",
    run: Effect.gen(function* () {
      const { layer, logs } = recorder()
      const back = yield* Effect.gen(function* () {
        const client = yield* Testing.client(app)
        const back = yield* loginAt(client)
        yield* client.get(changed(back, (all) => all.set("code", "stolen-code")))
        yield* client.get(changed(back, (all) => all.set("state", "x")))
        yield* client.get(back)
        return back
      }).pipe(Effect.provide(layer))
      const all = logs.join("\n")
      const { code, state } = Object.fromEntries(new URL(back, issuer).searchParams)
      for (const secret of [code, state, "stolen-code", Redacted.value(Provider.client.clientSecret)]) {
        assert.notInclude(all, secret!)
      }
      assert.notInclude(all, "Error ")
    })
  }
])
