/**
 * Certificates of clients: who is let in, and what a handler is told.
 */

import * as Fs from "node:fs"
import type * as Tls from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as App from "../../src/App.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as ClientCertificate from "../../src/server/ClientCertificate.ts"
import * as Server from "../../src/server/Server.ts"
import * as Site from "../../src/server/Site.ts"
import { served } from "../../src/testing/Served.ts"
import { get } from "./both.ts"
import * as Certificates from "./certificates.ts"
import { connect } from "./secure.ts"

const pair = Certificates.selfSigned("localhost")
const ca = Certificates.selfSigned("clients.example")
const alice = Certificates.issued(ca, "/C=DE/O=Example/CN=alice")
const twice = Certificates.issued(ca, "/CN=alice/CN=root")
const expired = Certificates.issued(ca, "/CN=late", -1)
const forged = Certificates.issued(Certificates.selfSigned("forger.example"), "/C=DE/O=Example/CN=alice")

const told = (effect: typeof ClientCertificate.presented) =>
  Effect.map(effect, (found) =>
    Response.json(
      found === undefined
        ? null
        : { subject: found.subject, authorized: found.authorized, reason: found.reason ?? null }
    )
  )
const app = App.make({
  presented: Route.get("/presented", told(ClientCertificate.presented)),
  current: Route.get("/current", told(ClientCertificate.current)),
  required: Route.get(
    "/required",
    Effect.map(ClientCertificate.ClientCertificate, ({ raw: _, subject, issuer, ...rest }) =>
      Response.json({ ...rest, subject, issuer })
    )
  ).pipe(Route.use(ClientCertificate.required))
})

const site = (clientCertificates: "request" | "require", options: object = {}) => ({
  sites: [Site.tls({ host: "127.0.0.1", port: 0, ...pair, ca: ca.cert, clientCertificates, ...options })] as const
})
const own = ({ cert, key }: Certificates.Pair): Tls.ConnectionOptions => ({
  cert: Fs.readFileSync(cert),
  key: Fs.readFileSync(key)
})

const ask = Effect.fnUntraced(function* (
  server: Server.Server["Service"],
  path: string,
  options: Tls.ConnectionOptions = {}
) {
  const wire = yield* connect(server, options)
  yield* wire.send(get(path))
  const { body, status } = yield* wire.answer()
  return [status, JSON.parse(body.toString())] as const
})

describe("a site that requests certificates", () => {
  const subject = { C: "DE", O: "Example", CN: "alice" }
  const rows = [
    ["no one", undefined, null, null, 403],
    ["one that is issued", alice, { subject, authorized: true, reason: null }, "same", 200],
    [
      "one that is forged",
      forged,
      { subject, authorized: false, reason: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" },
      null,
      403
    ],
    [
      "one that has expired",
      expired,
      { subject: { CN: "late" }, authorized: false, reason: "CERT_HAS_EXPIRED" },
      null,
      403
    ],
    [
      "names of several values",
      twice,
      { subject: { CN: ["alice", "root"] }, authorized: true, reason: null },
      "same",
      200
    ]
  ] as const
  for (const [what, client, presented, current, status] of rows) {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      it.live(`gives its handlers ${what} of a client, in ${version}`, () =>
        Effect.gen(function* () {
          const server = yield* Server.start(app, site("request"))
          const options = { maxVersion: version, ...(client === undefined ? {} : own(client)) }
          assert.deepStrictEqual(yield* ask(server, "/presented", options), [200, presented])
          assert.deepStrictEqual(yield* ask(server, "/current", options), [200, current === "same" ? presented : null])
          assert.strictEqual((yield* ask(server, "/required", options))[0], status)
        })
      )
    }
  }

  it.live("tells who has issued it, for how long, and its fingerprint", () =>
    Effect.gen(function* () {
      const server = yield* Server.start(app, site("request"))
      const [, found] = yield* ask(server, "/required", own(alice))
      assert.deepStrictEqual([found.issuer, found.authorized], [{ CN: "clients.example" }, true])
      assert.match(found.fingerprint, /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/)
      assert.match(found.serialNumber, /^[0-9A-F]+$/)
      assert.isAbove(Date.parse(found.validTo) - Date.parse(found.validFrom), 0)
    })
  )

  it.live("knows it again on a connection that resumes a session", () =>
    Effect.gen(function* () {
      const server = yield* Server.start(app, site("request"))
      for (const [client, authorized] of [
        [alice, true],
        [forged, false]
      ] as const) {
        for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
          const first = yield* connect(server, { ...own(client), maxVersion })
          const session = new Promise<Buffer>((resolve) => first.tls.once("session", resolve))
          yield* first.send(get("/presented"))
          yield* first.answer()
          const ticket = maxVersion === "TLSv1.2" ? first.tls.getSession()! : yield* Effect.promise(() => session)
          const again = yield* connect(server, { ...own(client), maxVersion, session: ticket })
          assert.isTrue(again.tls.isSessionReused())
          yield* again.send(get("/presented"))
          assert.strictEqual(JSON.parse((yield* again.answer()).body.toString()).authorized, authorized)
        }
      }
    })
  )

  it.live("asks for it under a name of its own too", () =>
    Effect.gen(function* () {
      const server = yield* Server.start(
        app,
        site("request", { sni: { "a.example": Certificates.selfSigned("a.example") } })
      )
      const options = { ...own(alice), servername: "a.example" }
      assert.strictEqual((yield* ask(server, "/required", options))[0], 200)
    })
  )
})

describe("a site that requires certificates", () => {
  it.live("lets in who has one", () =>
    Effect.gen(function* () {
      const server = yield* Server.start(app, site("require"))
      assert.strictEqual((yield* ask(server, "/required", own(alice)))[0], 200)
    })
  )

  for (const [what, client, code] of [
    ["none", undefined, "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE"],
    ["a forged one", forged, "ECONNRESET"],
    ["an expired one", expired, "ECONNRESET"]
  ] as const) {
    it.live(`breaks the handshake off with ${what}`, () =>
      Effect.gen(function* () {
        const server = yield* Server.start(app, site("require"))
        const options = { maxVersion: "TLSv1.2", ...(client === undefined ? {} : own(client)) } as const
        assert.strictEqual(yield* Effect.flip(connect(server, options)), code)
        // In TLS 1.3 the client is done before the server has looked.
        const wire = yield* connect(server, client === undefined ? {} : own(client))
        yield* wire.send(get("/presented"))
        assert.strictEqual(yield* wire.closed, "")
      })
    )
  }
})

served("without TLS there is no certificate", app, (client) =>
  Effect.gen(function* () {
    assert.strictEqual(yield* (yield* client.get("/presented")).text, "null")
    assert.strictEqual((yield* client.get("/required")).status, 403)
  })
)
