/**
 * An issuer of tokens for tests: its keys, and tokens with whatever claims, header and key a test wants.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Jose from "jose"

/** The secret of the tests, and another one. */
export const secret = "0123456789abcdef0123456789abcdef"
export const otherSecret = "fedcba9876543210fedcba9876543210"

/** What TestClock begins with, in seconds. */
export const now = 0

/** A pair of keys, with what of it is published. */
export interface Pair {
  readonly alg: string
  readonly kid: string
  readonly privateKey: Jose.CryptoKey
  readonly publicKey: Jose.CryptoKey
  readonly jwk: Jose.JWK & { readonly kty: string }
  readonly pem: string
}

/** Makes a pair of keys. */
export const pair = (alg: string, kid: string): Effect.Effect<Pair> =>
  Effect.promise(async () => {
    const { privateKey, publicKey } = await Jose.generateKeyPair(alg, { extractable: true })
    const exported = await Jose.exportJWK(publicKey)
    const jwk = { ...exported, kty: String(exported.kty), kid, alg, use: "sig" }
    return { alg, kid, privateKey, publicKey, jwk, pem: await Jose.exportSPKI(publicKey) }
  })

/** Claims that count for an hour. */
export const claims = { sub: "ada", iss: "https://id.test", aud: "api", iat: now, exp: now + 3600 }

/** Signs claims with a key; without one with the secret of the tests. */
export const signed = (
  payload: object = claims,
  header: Partial<Jose.JWTHeaderParameters> = {},
  key: Jose.CryptoKey | Uint8Array = new TextEncoder().encode(secret)
): Effect.Effect<Redacted.Redacted<string>> =>
  Effect.map(
    Effect.promise(() => new Jose.SignJWT({ ...payload }).setProtectedHeader({ alg: "HS256", ...header }).sign(key)),
    (token) => Redacted.make(token)
  )

/** A token by a pair of keys. */
export const by = (
  { alg, kid, privateKey }: Pair,
  payload: object = claims,
  header: Partial<Jose.JWTHeaderParameters> = {}
) => signed(payload, { alg, kid, ...header }, privateKey)

/** A token made of parts that are no JSON Web Signature: header and payload as they are. */
export const forged = (header: object | string, payload: object | string = claims, signature = "AAAA") => {
  const part = (value: object | string) =>
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url")
  return Redacted.make(`${part(header)}.${part(payload)}.${signature}`)
}

/** A key for ES256 with a certificate, made for these tests alone. */
export const certified = {
  privateKey: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3L6pW3ZKQS7fVQ+0
icuXX+iWYgjER/eGk3npwlkESQWhRANCAAR+EGWzrDcCORHIFq3qohQbNPL2g4r4
gtt5E9OB7/wjDhSQ4OVpJ5qek16tA83Yww/sY2TJN0ydNjfqDlosEIS1
-----END PRIVATE KEY-----`,
  certificate: `-----BEGIN CERTIFICATE-----
MIIBfDCCASGgAwIBAgIUA1rukoky8zulWN6J0VNyrawSS0swCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHaWQudGVzdDAgFw0yNjExMjYxMzA4MjZaGA8yMTI2MTEwMjEz
MDgyNlowEjEQMA4GA1UEAwwHaWQudGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABH4QZbOsNwI5EcgWreqiFBs08vaDiviC23kT04Hv/CMOFJDg5Wknmp6TXq0D
zdjDD+xjZMk3TJ02N+oOWiwQhLWjUzBRMB0GA1UdDgQWBBRimRWqSHcUXEUAM9gz
S0OYSTwSTDAfBgNVHSMEGDAWgBRimRWqSHcUXEUAM9gzS0OYSTwSTDAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDj8TkgMfwtYvZgqkdJlO4sbHuU
l2PU6SKJix2fFoqJYgIhAK/Whivfp6vMqryuWKLBvutopXFyxQrO+rFc2OS1UX07
-----END CERTIFICATE-----`
}
