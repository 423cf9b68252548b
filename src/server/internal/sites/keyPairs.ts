/**
 * Keys and certificates from files or texts, checked against each other.
 *
 * ```ts
 * const loaded = yield* load({ key: "key.pem", cert: "cert.pem", sni: { "*.shop.example": { key, cert } } })
 * find(loaded, "www.shop.example")
 * ```
 *
 * @spec RFC 6066 §3; RFC 9525 §6.3; RFC 9325 §4.2
 */
import { X509Certificate } from "node:crypto"
import * as Fs from "node:fs"
import * as Tls from "node:tls"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { KeyPair, Pem, TlsOptions } from "../../Site.ts"

/** What is loaded. */
export interface Loaded {
  /** For clients that name no host, or none that has its own. */
  readonly context: Tls.SecureContextOptions
  readonly contexts: ReadonlyMap<string, Tls.SecureContext>
  readonly certificates: ReadonlyArray<{ readonly name: string; readonly validTo: Date }>
}

/** Why they are of no use, with the cure. */
export class Unusable {
  readonly text: string
  readonly cause: Error
  constructor(text: string, cause: Error) {
    this.text = text
    this.cause = cause
  }
}

const isText = (pem: Pem): pem is string => typeof pem === "string" && pem.includes("-----BEGIN")

const isPath = (pem: Pem): pem is string | URL => !(pem instanceof Uint8Array) && !isText(pem)

const plain = <A>(value: A | Redacted.Redacted<string>): A | string =>
  Redacted.isRedacted(value) ? (Redacted.value(value) as string) : (value as A)

/** The files that they come from. */
export const files = (tls: TlsOptions): ReadonlyArray<string | URL> =>
  [tls, ...Object.values(tls.sni ?? {})]
    .flatMap(({ cert, key }) => [plain(key), cert])
    .concat(tls.ca ?? [])
    .filter(isPath)

// Those that encrypt and authenticate in one, with a key for each connection: none that RFC 9113 (Appendix A) forbids HTTP/2.
const ciphers = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  ...["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"].flatMap((cipher) => [
    `ECDHE-ECDSA-${cipher}`,
    `ECDHE-RSA-${cipher}`
  ])
].join(":")

/** Loads all of them, or none. */
export const load = (tls: TlsOptions): Effect.Effect<Loaded, Unusable> =>
  Effect.try({
    try: () => {
      const ca = tls.ca === undefined ? undefined : read(tls.ca, "ca")
      const common: Tls.SecureContextOptions = {
        minVersion: tls.minVersion ?? "TLSv1.2",
        ciphers: tls.ciphers ?? ciphers,
        ...(ca === undefined ? undefined : { ca })
      }
      const own = pairOf(tls, common, "")
      const named = Object.entries(tls.sni ?? {}).map(
        ([name, pair]) => [name.toLowerCase(), pairOf(pair, common, ` of "${name}"`)] as const
      )
      return {
        context: own.options,
        contexts: new Map(named.map(([name, { context }]) => [name, context])),
        certificates: [["", own] as const, ...named].map(([name, { validTo }]) => ({
          name: name === "" ? "of the site" : `of "${name}"`,
          validTo
        }))
      }
    },
    catch: (cause) =>
      cause instanceof Unusable ? cause : new Unusable(cause instanceof Error ? cause.message : "", cause as Error)
  })

/** The certificate of a name: its own, else that of the wildcard for its first label. */
export const find = ({ contexts }: Loaded, name: string): Tls.SecureContext | undefined => {
  const host = name.toLowerCase()
  const dot = host.indexOf(".")
  return contexts.get(host) ?? (dot > 0 ? contexts.get(`*${host.slice(dot)}`) : undefined)
}

const read = (pem: Pem, what: string): string => {
  if (isText(pem)) return pem
  let text: string
  try {
    text = isPath(pem) ? Fs.readFileSync(pem, "utf8") : new TextDecoder().decode(pem)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why =
      code === "ENOENT"
        ? "does not exist; give the path of a PEM file, or its text"
        : code === "EACCES"
          ? "may not be read; give this user the right to"
          : `cannot be read: ${message}`
    throw new Unusable(`the ${what} ${nameOf(pem)} ${why}`, error as Error)
  }
  if (isText(text)) return text
  throw new Unusable(`the ${what} ${nameOf(pem)} is not in PEM; convert it with openssl`, new Error("not PEM"))
}

// A text that is neither PEM nor a path may be a secret that was damaged on its way.
const nameOf = (pem: Pem): string => {
  const path = isPath(pem) ? String(pem) : ""
  return path !== "" && path.length < 256 && !path.includes("\n") ? `"${path}"` : "that is given"
}

const cures: ReadonlyArray<readonly [code: RegExp, cure: (of: string, isOpen: boolean) => string]> = [
  [/VALUES_MISMATCH|TYPE_MISMATCH/, (of) => `the key and the cert${of} do not belong together; give those of one pair`],
  [
    /PASSPHRASE|PASSWORD|BAD_DECRYPT|INTERRUPTED_OR_CANCELLED/,
    (of, isOpen) =>
      isOpen ? `the passphrase of the key${of} is wrong` : `the key${of} is encrypted; give its \`passphrase\``
  ],
  [/CIPHER/, () => "`ciphers` names none that are known; write them as OpenSSL does"],
  [/.*/, (of) => `the key or the cert${of} cannot be used; give a private key and a certificate in PEM`]
]

const pairOf = (pair: KeyPair, common: Tls.SecureContextOptions, of: string) => {
  const { cert, key, passphrase } = pair
  const options: Tls.SecureContextOptions = {
    ...common,
    key: read(plain(key), `key${of}`),
    cert: read(cert, `cert${of}`),
    ...(passphrase === undefined ? undefined : { passphrase: plain(passphrase) })
  }
  try {
    const context = Tls.createSecureContext(options)
    return { options, context, validTo: new X509Certificate(options.cert as string).validToDate }
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException
    const [, cure] = cures.find(([pattern]) => pattern.test(`${code} ${message.replaceAll(" ", "_")}`.toUpperCase()))!
    throw new Unusable(cure(of, passphrase !== undefined), error as Error)
  }
}
