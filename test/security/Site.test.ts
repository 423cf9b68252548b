/**
 * Attacks on where a server listens.
 */
import * as Fs from "node:fs"
import type * as Tls from "node:tls"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as App from "../../src/App.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as ClientCertificate from "../../src/server/ClientCertificate.ts"
import * as Server from "../../src/server/Server.ts"
import * as Site from "../../src/server/Site.ts"
import * as Folder from "../folder.ts"
import { get } from "../server/both.ts"
import * as Certificates from "../server/certificates.ts"
import { connect } from "../server/secure.ts"
import { connectTo } from "../server/started.ts"
import { attacks } from "./attacks.ts"

const pair = Certificates.selfSigned("localhost")
const ca = Certificates.selfSigned("clients.example")
const forged = Certificates.issued(Certificates.selfSigned("forger.example"), "/CN=admin")
const app = App.make({ home: Route.get("/", Response.text("secret")) }).pipe(App.use(ClientCertificate.required))
const tls = (options: object) => Site.tls({ host: "127.0.0.1", port: 0, ...pair, ...options })

const status = Effect.fnUntraced(function* (client: Tls.ConnectionOptions, head = "") {
  const site = tls({ ca: ca.cert, clientCertificates: "request" })
  const wire = yield* connect(yield* Server.start(app, { sites: [site] }), client)
  yield* wire.send(get("/", head))
  return (yield* wire.answer()).status
})

attacks("sites", [
  {
    attack: "a client makes a certificate with the name of another up",
    stoppedBy: "only those of the site's authorities are identities",
    run: Effect.gen(function* () {
      const own = { key: Fs.readFileSync(forged.key), cert: Fs.readFileSync(forged.cert) }
      assert.strictEqual(yield* status(own), 403)
    })
  },
  {
    attack: "a client writes a certificate into a header, as proxies do",
    stoppedBy: "only the connection is asked",
    run: Effect.gen(function* () {
      const head =
        "X-SSL-Client-Verify: SUCCESS\r\nX-SSL-Client-S-DN: CN=admin\r\nX-Forwarded-Client-Cert: Subject=CN=admin\r\n"
      assert.strictEqual(yield* status({}, head), 403)
    })
  },
  {
    attack: "a client begins a handshake and drips on for ever",
    stoppedBy: "the time of a handshake is limited as a whole",
    run: Effect.gen(function* () {
      const server = yield* Server.start(app, { sites: [tls({ handshakeTimeout: "50 millis" })] })
      const wire = yield* connectTo(server.addresses[0]?.port ?? 0)
      yield* wire.send(Buffer.from("160301", "hex"))
      yield* wire.closed
    })
  },
  {
    attack: "somebody has put a link where the socket of the server will be",
    stoppedBy: "it is neither followed nor removed: the server does not start",
    run: Effect.gen(function* () {
      const folder = Folder.make({ precious: "kept" })
      Fs.symlinkSync(folder.at("precious"), folder.at("app.sock"))
      const site = Site.unix({ path: folder.at("app.sock"), mode: 0o777 })
      const { message } = yield* Effect.flip(Effect.scoped(Server.start(app, { sites: [site] })))
      assert.include(message, "no socket")
      assert.strictEqual(Fs.readFileSync(folder.at("precious"), "utf8"), "kept")
      assert.notStrictEqual(Fs.statSync(folder.at("precious")).mode & 0o777, 0o777)
    })
  }
])
