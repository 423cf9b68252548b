/** The same on node:http without any library, and nothing more than this one route needs: the least that all of it costs on Node. */
import * as Crypto from "node:crypto"
import * as Http from "node:http"
import { origin, secret } from "./site.ts"

const key = Buffer.from(Crypto.hkdfSync("sha256", secret, "", "session", 32))

const seal = (name: string): string => {
  const nonce = Crypto.randomBytes(12)
  const cipher = Crypto.createCipheriv("aes-256-gcm", key, nonce)
  const sealed = [nonce, cipher.update(JSON.stringify({ name, since: Date.now() })), cipher.final()]
  return Buffer.concat([...sealed, cipher.getAuthTag()]).toString("base64url")
}

interface Visit {
  readonly name: string
  readonly since: number
}

// A browser sends the same cookie again and again.
const known = new Map<string, Visit>()

const open = (cookie: string): Visit => {
  const visit = known.get(cookie)
  if (visit !== undefined) return visit
  const bytes = Buffer.from(cookie, "base64url")
  const decipher = Crypto.createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12)).setAuthTag(bytes.subarray(-16))
  const opened: Visit = JSON.parse(decipher.update(bytes.subarray(12, -16), undefined, "utf8") + decipher.final("utf8"))
  if (known.size >= 1000) known.clear()
  known.set(cookie, opened)
  return opened
}

const hour = 3_600_000

const nameIn = (cookies: string | undefined): string => {
  const found = cookies === undefined ? undefined : /(?:^|; *)session=([\w-]+)/.exec(cookies)?.[1]
  const visit = found === undefined ? undefined : open(found)
  return visit === undefined || Date.now() - visit.since > 2 * hour ? "you" : visit.name
}

const security = {
  "content-security-policy":
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src 'self' data:; object-src 'none'; " +
    "script-src 'self'; style-src 'self'",
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "origin-agent-cluster": "?1",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  vary: "Origin, Cookie",
  "cache-control": "private, no-cache"
}

let lines = ""
const flush = (): void => {
  const text = lines
  lines = ""
  process.stdout.write(text)
}
const log = (request: Http.IncomingMessage, response: Http.ServerResponse, requestId: string, start: bigint): void => {
  if (lines === "") setTimeout(flush, 10)
  const line = {
    timestamp: new Date().toISOString(),
    method: request.method,
    url: request.url,
    status: response.statusCode,
    durationMs: Number(process.hrtime.bigint() - start) / 1e6,
    remoteAddress: request.socket.remoteAddress,
    userAgent: request.headers["user-agent"],
    requestId
  }
  lines += `${JSON.stringify(line)}\n`
}

// What a page of another site sends is refused.
const isForeign = ({ headers, method }: Http.IncomingMessage): boolean => {
  if (method === "GET" || method === "HEAD") return false
  const site = headers["sec-fetch-site"]
  return site === undefined ? headers.origin !== undefined && headers.origin !== origin : site !== "same-origin"
}

Http.createServer((request, response) => {
  const start = process.hrtime.bigint()
  const requestId = Crypto.randomUUID()
  response.on("close", () => log(request, response, requestId, start))
  const headers: Record<string, string | number> = { ...security, "x-request-id": requestId }
  if (request.headers.origin === origin) {
    headers["access-control-allow-origin"] = origin
    headers["access-control-allow-credentials"] = "true"
  }
  if (isForeign(request)) {
    response.writeHead(403, headers).end()
    return
  }
  if (request.url === "/login") {
    headers["set-cookie"] = `session=${seal("Ada")}; Path=/; HttpOnly; SameSite=Lax`
    response.writeHead(204, headers).end()
    return
  }
  const body = JSON.stringify({ message: `Hello, ${nameIn(request.headers.cookie)}!` })
  headers["content-type"] = "application/json"
  headers["content-length"] = Buffer.byteLength(body)
  response.writeHead(request.url === "/json" ? 200 : 404, headers)
  response.end(body)
}).listen(Number(process.env.PORT), "127.0.0.1")
