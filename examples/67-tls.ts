// HTTPS: certificates from files, looked at every few seconds, so that renewed ones serve without a restart; and who the client is.
//   curl localhost:8080/           # http
//   curl -i localhost:8080/whoami  # 403
// For a certificate to try it: openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out cert.pem
// Then: curl -k https://localhost:8443/
import { Effect } from "effect"
import { App, ClientCertificate, Request, Response, Route, Server, Site } from "effect-web"

const whoami = Effect.gen(function* () {
  const { subject } = yield* ClientCertificate.ClientCertificate
  return Response.text(`You are ${subject.CN}`)
})

export const app = App.make({
  home: Route.get(
    "/",
    Effect.map(Request.protocol, (scheme) => Response.text(scheme))
  ),
  // 403 without a certificate that `ca` has issued.
  whoami: Route.get("/whoami", whoami).pipe(Route.use(ClientCertificate.required))
})

if (import.meta.main) {
  const { CA, CERT = "cert.pem", KEY = "key.pem", PORT = "8443" } = process.env
  Server.run(app, {
    sites: [
      Site.tls({
        port: Number(PORT),
        key: KEY,
        cert: CERT,
        // Certificates for other names: sni: { "*.shop.example": { key, cert } }
        ...(CA === undefined ? {} : { ca: CA, clientCertificates: "request" as const })
      })
    ]
  })
}
