// A site behind a proxy that ends TLS: strict headers with a nonce for its own scripts, its own hosts only, and https only.
//   curl -i -H 'X-Forwarded-For: 198.51.100.7' -H 'X-Forwarded-Proto: https' localhost:8080/            # 200 and strict-transport-security: max-age=31536000; includeSubDomains and x-frame-options: DENY and script-src 'self' 'nonce- and <script nonce=" and You come from 198.51.100.7
//   curl -i -H 'X-Forwarded-For: 198.51.100.7' -H 'X-Forwarded-Proto: https' localhost:8080/nothing     # 404 and content-security-policy: default-src 'self';
//   curl -i -H 'X-Forwarded-For: 198.51.100.7' -H 'X-Forwarded-Proto: https' localhost:8080/embed       # 200 and frame-ancestors https://partner.example
//   curl -i -H 'X-Forwarded-For: 198.51.100.7' -H 'X-Forwarded-Proto: http' 'localhost:8080/?a=1'       # 308 and location: https:// and /?a=1
//   curl -i -H 'Host: evil.example' localhost:8080/                                                     # 421 and does not answer for that host
//   curl -i -H 'Host: 10.0.0.7' localhost:8080/health                                                   # 200 and healthy
import { Effect } from "effect"
import { App, Hosts, html, Request, Response, Route, SecurityHeaders, Server, TrustedProxies } from "effect-web"

const home = Effect.gen(function* () {
  const nonce = yield* SecurityHeaders.nonce
  return Response.html(html`<!doctype html>
<html lang="en">
  <title>Home</title>
  <p>You come from ${yield* Request.remote}.</p>
  <script nonce="${nonce}">document.body.append("This script may run, one that somebody slipped in may not.")</script>
</html>`)
})

// A part of the site that a partner shows in a frame.
const framed = SecurityHeaders.make({ contentSecurityPolicy: { "frame-ancestors": ["https://partner.example"] } })

export const app = App.make({
  home: Route.get("/", home),
  embed: Route.get("/embed", Response.html(html`<p>Hello, partner`)).pipe(Route.use(framed)),
  health: Route.get("/health", Response.text("healthy"))
}).pipe(
  App.use(
    Hosts.make({
      allowed: ["www.example", "localhost", "127.0.0.1", "app.test"],
      https: "redirect",
      exempt: ["/health"]
    })
  ),
  App.use(SecurityHeaders.make()),
  App.use(TrustedProxies.make({ trusted: ["127.0.0.1", "10.0.0.0/8"] })) // the outermost: the others see what it says
)

if (import.meta.main) Server.run(app)
