// HTTP/2: over TLS it needs nothing but the certificate; without TLS, for a proxy or gRPC in front, `h2c` turns it on.
//   curl localhost:8080/    # 1.1
// With --http2-prior-knowledge it says 2.0. For a certificate to try TLS:
// openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out cert.pem
// Then CERT=cert.pem KEY=key.pem node examples/71-http2.ts, where curl -k https://localhost:8443/ gets 2.0.
import { Effect } from "effect"
import { App, Request, Response, Route, Server, Site } from "effect-web"

// What a handler does is the same on both: streams, files, bodies, cookies. One request that its client drops is one stream that ends.
const version = Effect.map(Request.current, ({ source }) =>
  Response.text("httpVersion" in source ? String(source.httpVersion) : "none")
)

export const app = App.make({ version: Route.get("/", version) })

if (import.meta.main) {
  const { CERT, KEY, PORT = "8080" } = process.env
  const plain = Site.tcp({ port: Number(PORT), h2c: true })
  // `http2: false` keeps it to HTTP/1.1.
  Server.run(app, { sites: CERT && KEY ? [plain, Site.tls({ cert: CERT, key: KEY })] : [plain] })
}
