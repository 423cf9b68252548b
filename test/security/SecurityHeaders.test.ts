/**
 * Attacks on pages, and the header fields that stop them; `test/middleware/browser.test.ts` tries the policy in a browser.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as App from "../../src/App.ts"
import { html } from "../../src/Html.ts"
import * as SecurityHeaders from "../../src/middleware/SecurityHeaders.ts"
import * as TrustedProxies from "../../src/middleware/TrustedProxies.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { attacks } from "./attacks.ts"

const search = Effect.gen(function* () {
  const nonce = yield* SecurityHeaders.nonce
  const q = (yield* Request.query).get("q")
  return Response.html(html`<p>${q}</p><script nonce="${nonce}">1</script>`)
})
const app = App.make({
  home: Route.get("/", Response.text("home")),
  search: Route.get("/search", search)
}).pipe(App.use(SecurityHeaders.make()), App.use(TrustedProxies.make({ trusted: ["127.0.0.1"] })))

const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.flatMap(Testing.client(app), (client) => client.get(path, { headers }))

const has = (name: string, part: string | undefined, path = "/", headers: Readonly<Record<string, string>> = {}) =>
  Effect.map(get(path, headers), (response) => {
    if (part === undefined) assert.isUndefined(response.headers[name])
    else assert.include(response.headers[name], part)
  })

const csp = "content-security-policy"
const secure = { "x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https" }

attacks("pages", [
  {
    attack: "a page in a frame of another site (clickjacking)",
    stoppedBy: "frame-ancestors 'none'",
    run: has(csp, "frame-ancestors 'none'")
  },
  {
    attack: "the same, in a browser without policies",
    stoppedBy: "X-Frame-Options: DENY",
    run: has("x-frame-options", "DENY")
  },
  {
    attack: "an error page in a frame",
    stoppedBy: "error answers have the fields too",
    run: has("x-frame-options", "DENY", "/nothing")
  },
  { attack: "a script of another host", stoppedBy: "script-src 'self'", run: has(csp, "script-src 'self';") },
  { attack: "a plug-in", stoppedBy: "object-src 'none'", run: has(csp, "object-src 'none'") },
  { attack: "a <base> that moves every link", stoppedBy: "base-uri 'none'", run: has(csp, "base-uri 'none'") },
  {
    attack: "a form that sends a password elsewhere",
    stoppedBy: "form-action 'self'",
    run: has(csp, "form-action 'self'")
  },
  {
    attack: "an upload that a browser takes for a script",
    stoppedBy: "nosniff",
    run: has("x-content-type-options", "nosniff")
  },
  {
    attack: "an address with a token, told to another site",
    stoppedBy: "Referrer-Policy: same-origin",
    run: has("referrer-policy", "same-origin")
  },
  {
    attack: "an opener that steers the window",
    stoppedBy: "Cross-Origin-Opener-Policy",
    run: has("cross-origin-opener-policy", "same-origin")
  },
  {
    attack: "an answer drawn into the process of another site (Spectre)",
    stoppedBy: "Cross-Origin-Resource-Policy",
    run: has("cross-origin-resource-policy", "same-origin")
  },
  {
    attack: "http in place of https, from the second visit on",
    stoppedBy: "Strict-Transport-Security",
    run: has("strict-transport-security", "max-age=31536000", "/", secure)
  },
  {
    attack: "a wrong host locked out for a year by a field over http",
    stoppedBy: "it is sent over https only",
    run: has("strict-transport-security", undefined)
  },
  {
    attack: "a script in a query that the page shows",
    stoppedBy: "html escapes it, and it would have no nonce",
    run: Effect.gen(function* () {
      const response = yield* get("/search?q=%3Cscript%3E1%3C/script%3E")
      assert.include(yield* response.text, "<p>&lt;script&gt;1&lt;/script&gt;</p>")
      assert.notInclude(response.headers[csp], "unsafe-inline")
    })
  },
  {
    attack: "a nonce that was seen before",
    stoppedBy: "another one for every request, and no-store",
    run: Effect.gen(function* () {
      const [first, second] = [yield* get("/search"), yield* get("/search")]
      assert.notStrictEqual(first.headers[csp], second.headers[csp])
      assert.strictEqual(first.headers["cache-control"], "no-store")
    })
  },
  {
    attack: "a stored page with the nonce of a later answer",
    stoppedBy: "pages with nonces have no validators: there is no 304",
    run: Effect.map(get("/search", { "if-none-match": "*" }), ({ status }) => assert.strictEqual(status, 200))
  }
])
