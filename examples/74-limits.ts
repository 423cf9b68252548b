// Limits for slow and flooding clients: each has a default that serves; here they are said, and made stricter.
//   curl localhost:8080/                            # Hello
//   curl -d 'a few words' localhost:8080/words      # 3 words
import { Effect } from "effect"
import { App, Body, Response, Route, Server } from "effect-web"

const words = Effect.map(Body.text(), (text) => Response.text(`${text.split(" ").length} words`))

export const app = App.make({
  home: Route.get("/", Response.text("Hello")),
  words: Route.post("/words", words)
})

if (import.meta.main) {
  Server.run(app, {
    // A head: 10 seconds, 16 KiB and 100 fields unless said, its target 8 KiB.
    headersTimeout: "5 seconds",
    maxHeaderSize: 8192,
    maxHeaders: 50,
    maxTargetSize: 4096,
    // A body: silent for a minute, or below 240 bytes a second after the first five; then 408.
    bodyTimeout: "30 seconds",
    minBodyRate: "1 kB",
    // An answer that is not taken: as long, and as slowly; then the connection is reset, and the outcome is timedOut.
    writeTimeout: "30 seconds",
    minWriteRate: "1 kB",
    // Connections: above it those that wait for a request give way, and where none does the answer is 503.
    maxConnections: 5000,
    // Not behind a proxy, from which all connections come.
    maxConnectionsPerAddress: 100
  })
}
