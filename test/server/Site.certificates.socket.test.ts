/**
 * The certificates of a site: new ones without a restart, and what is said of those that do not fit.
 */
import * as Fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ServeError } from "effect/http/HttpServerError"
import * as Redacted from "effect/Redacted"
import * as App from "../../src/App.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Server from "../../src/server/Server.ts"
import * as Site from "../../src/server/Site.ts"
import * as Folder from "../folder.ts"
import { get, recorder, until } from "./both.ts"
import * as Certificates from "./certificates.ts"
import { connect } from "./secure.ts"

const app = App.make({ home: Route.get("/", Response.text("home")) })
const [first, second] = [Certificates.selfSigned("first.example"), Certificates.selfSigned("second.example")]
const secret = Certificates.selfSigned("secret.example", "open sesame")

const site = (options: Site.TlsOptions) => ({ sites: [Site.tls({ host: "127.0.0.1", port: 0, ...options })] as const })

/** Copies of a pair, to be changed. */
const copies = (pair: Certificates.Pair) => {
  const folder = Folder.make()
  const own = { key: folder.at("tls.key"), cert: folder.at("tls.crt") }
  const take = ({ cert, key }: Certificates.Pair) => {
    Fs.copyFileSync(key, own.key)
    Fs.copyFileSync(cert, own.cert)
  }
  take(pair)
  return { folder, own, take }
}

const loaded = "Info The certificates have changed and are loaded again"
const kept = "Warn The new certificates are not taken, the old ones stay: "

describe("new certificates", () => {
  it.live("serve new connections, and those that are open go on", () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const { own, take } = copies(first)
      const server = yield* Server.start(app, site({ ...own, reload: "10 millis" }))
      const before = yield* connect(server)
      take(second)
      yield* until(() => logs.includes(loaded))
      const after = yield* connect(server)
      assert.deepStrictEqual([before.name, after.name], ["first.example", "second.example"])
      yield* before.send(get("/"))
      assert.strictEqual((yield* before.answer()).body.toString(), "home")
    }).pipe(Effect.provide(layer))
  })

  it.live("serve every host of the site, and names that are asked for", () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const { own, take } = copies(first)
      const sni = { "named.example": own }
      const options = { host: ["127.0.0.1", "127.0.0.2"] as const, port: 0, ...own, sni, reload: "10 millis" } as const
      const server = yield* Server.start(app, { sites: [Site.tls(options)] })
      take(second)
      yield* until(() => logs.includes(loaded))
      for (const { host, port } of server.addresses) {
        for (const servername of ["named.example", "x.example"]) {
          const wire = yield* connect(server, { host: host!, port: port!, servername })
          assert.strictEqual(wire.name, "second.example")
        }
      }
    }).pipe(Effect.provide(layer))
  })

  it.live("are seen behind a link that turns elsewhere, as volumes of Kubernetes have it", () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const folder = Folder.make()
      for (const [name, pair] of [["a", first] as const, ["b", second] as const]) {
        folder.write(`${name}/tls.key`, Fs.readFileSync(pair.key))
        folder.write(`${name}/tls.crt`, Fs.readFileSync(pair.cert))
      }
      Fs.symlinkSync("a", folder.at("data"))
      const own = { key: folder.at("data/tls.key"), cert: folder.at("data/tls.crt") }
      const server = yield* Server.start(app, site({ ...own, reload: "10 millis" }))
      Fs.symlinkSync("b", folder.at("next"))
      Fs.renameSync(folder.at("next"), folder.at("data"))
      yield* until(() => logs.includes(loaded))
      assert.strictEqual((yield* connect(server)).name, "second.example")
    }).pipe(Effect.provide(layer))
  })

  const bad: ReadonlyArray<readonly [string, (own: Certificates.Pair) => void, (own: Certificates.Pair) => string]> = [
    [
      "that do not belong together",
      ({ key }) => Fs.copyFileSync(second.key, key),
      () => "the key and the cert do not belong together; give those of one pair"
    ],
    [
      "of which a file is gone",
      ({ cert }) => Fs.rmSync(cert),
      ({ cert }) => `the cert "${cert}" does not exist; give the path of a PEM file, or its text`
    ],
    [
      "that are empty",
      ({ cert }) => Fs.writeFileSync(cert, ""),
      ({ cert }) => `the cert "${cert}" is not in PEM; convert it with openssl`
    ]
  ]
  for (const [what, spoil, why] of bad) {
    it.live(`${what} are not taken, said once, until they are good`, () => {
      const { layer, logs } = recorder()
      return Effect.gen(function* () {
        const { own, take } = copies(first)
        const server = yield* Server.start(app, site({ ...own, reload: "10 millis" }))
        spoil(own)
        yield* until(() => logs.some((line) => line.startsWith(kept)))
        assert.strictEqual((yield* connect(server)).name, "first.example")
        yield* Effect.sleep("60 millis")
        take(second)
        yield* until(() => logs.includes(loaded))
        assert.strictEqual((yield* connect(server)).name, "second.example")
        assert.deepStrictEqual(
          logs.filter((line) => line.startsWith("Warn")),
          [kept + why(own)]
        )
      }).pipe(Effect.provide(layer))
    })
  }

  it.live("are not looked for where reload is false", () =>
    Effect.gen(function* () {
      const { own, take } = copies(first)
      const server = yield* Server.start(app, site({ ...own, reload: false }))
      take(second)
      yield* Effect.sleep("50 millis")
      assert.strictEqual((yield* connect(server)).name, "first.example")
    })
  )
})

describe("an encrypted key", () => {
  for (const passphrase of ["open sesame", Redacted.make("open sesame")]) {
    it.live(`is opened by its passphrase, ${typeof passphrase === "string" ? "plain" : "redacted"}`, () =>
      Effect.gen(function* () {
        const key = Redacted.make(Fs.readFileSync(secret.key, "utf8"))
        const server = yield* Server.start(app, site({ key, cert: secret.cert, passphrase }))
        assert.strictEqual((yield* connect(server)).name, "secret.example")
      })
    )
  }
})

it.live("a certificate that has expired is served with a warning", () => {
  const { layer, logs } = recorder()
  return Effect.gen(function* () {
    const expired = Certificates.issued(first, "/CN=expired.example", -1)
    const server = yield* Server.start(app, site(expired))
    assert.strictEqual((yield* connect(server)).name, "expired.example")
    assert.match(logs.join("\n"), /^Warn The certificate of the site has expired on \d{4}-\d\d-\d\dT/)
  }).pipe(Effect.provide(layer))
})

describe("a site with certificates of no use fails to start", () => {
  const folder = Folder.make({
    "der.crt": Buffer.from([0x30, 0x82, 1, 2]),
    "half.crt": "-----BEGIN CERTIFICATE-----\nAAAA"
  })
  const rows: ReadonlyArray<readonly [Site.TlsOptions, string]> = [
    [{ ...first, cert: "none.pem" }, 'the cert "none.pem" does not exist; give the path of a PEM file, or its text'],
    [
      { ...first, key: folder.path },
      `the key "${folder.path}" cannot be read: EISDIR: illegal operation on a directory, read`
    ],
    [
      { ...first, cert: folder.at("der.crt") },
      `the cert "${folder.at("der.crt")}" is not in PEM; convert it with openssl`
    ],
    [
      { ...first, cert: folder.at("half.crt") },
      "the key or the cert cannot be used; give a private key and a certificate in PEM"
    ],
    [{ ...first, key: second.key }, "the key and the cert do not belong together; give those of one pair"],
    [
      { key: first.cert, cert: first.key },
      "the key or the cert cannot be used; give a private key and a certificate in PEM"
    ],
    [{ ...secret }, "the key is encrypted; give its `passphrase`"],
    [{ ...secret, passphrase: "guess" }, "the passphrase of the key is wrong"],
    [{ ...first, ciphers: "NONE-SUCH" }, "`ciphers` names none that are known; write them as OpenSSL does"],
    [
      { ...first, sni: { "a.example": { ...second, cert: first.cert } } },
      'the key and the cert of "a.example" do not belong together; give those of one pair'
    ],
    [
      { ...first, ca: "none.pem", clientCertificates: "require" },
      'the ca "none.pem" does not exist; give the path of a PEM file, or its text'
    ]
  ]
  for (const [options, why] of rows) {
    it.live(why, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Server.start(app, site(options)))
        assert.instanceOf(error, ServeError)
        assert.strictEqual(error.message, `Cannot listen on TLS: ${why}`)
      })
    )
  }

  it.live("and never shows a key that came without its lines", () =>
    Effect.gen(function* () {
      const key = Fs.readFileSync(first.key, "utf8").replaceAll(/-----.*-----/g, "")
      const error = yield* Effect.flip(Server.start(app, site({ ...first, key })))
      assert.strictEqual(
        error.message,
        "Cannot listen on TLS: the key that is given does not exist; give the path of a PEM file, or its text"
      )
    })
  )

  const wrong: ReadonlyArray<readonly [Site.TlsOptions, RegExp]> = [
    [{ ...first, clientCertificates: "require" }, /needs `ca`/],
    [{ ...first, ca: first.cert }, /add clientCertificates: "require"/],
    [{ ...first, key: "" }, /no key or no cert/],
    [{ ...first, sni: { "a.*.example": second } }, /"a\.\*\.example" is no name for sni/]
  ]
  for (const [options, message] of wrong) {
    it(`throws where it is declared: ${message.source}`, () => assert.throws(() => Site.tls(options), message))
  }
})
