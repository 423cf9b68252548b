/**
 * Certificates for tests, made by openssl.
 */
import { execFileSync } from "node:child_process"
import * as Folder from "../folder.ts"

const folder = Folder.make()

const openssl = (...args: ReadonlyArray<string>): void =>
  void execFileSync("openssl", args, { cwd: folder.path, stdio: ["ignore", "pipe", "pipe"] })

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]

/** The files of a key and its certificate. */
export interface Pair {
  readonly key: string
  readonly cert: string
}

const filesOf = (name: string): Pair => ({ key: folder.at(`${name}.key`), cert: folder.at(`${name}.pem`) })

/** A certificate that has signed itself, for a name and 127.0.0.1; `passphrase` encrypts its key. */
export const selfSigned = (name: string, passphrase?: string, ...args: ReadonlyArray<string>): Pair => {
  const pair = filesOf(name.replace("*", "any"))
  const secrecy = passphrase === undefined ? ["-nodes"] : ["-passout", `pass:${passphrase}`]
  const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name},IP:127.0.0.1`]
  openssl(
    "req",
    "-x509",
    ...newKey,
    ...secrecy,
    "-keyout",
    pair.key,
    "-out",
    pair.cert,
    "-days",
    "2",
    ...names,
    ...args
  )
  return pair
}

/** A certificate that an authority has issued; `days` below 0 have passed. */
export const issued = (by: Pair, subject: string, days = 2): Pair => {
  const name = `${by.cert.replace(/^.*\/(.*)\.pem$/, "$1")}${subject.replaceAll(/\W/g, "-")}${days}`
  const pair = filesOf(name)
  openssl("req", "-new", ...newKey, "-nodes", "-keyout", pair.key, "-out", `${name}.csr`, "-subj", subject)
  openssl(
    ...["x509", "-req", "-in", `${name}.csr`, "-CA", by.cert, "-CAkey", by.key, "-CAcreateserial"],
    ...["-out", pair.cert, "-days", String(days)]
  )
  return pair
}
