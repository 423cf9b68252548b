/**
 * URLs that only the site can make, for a time: links in mails, downloads without a login, callbacks.
 *
 * ```ts
 * const links = SignedUrl.make({ keys })
 * const url = yield* links.sign(urls.report({ id: 42 }), { expiresIn: "1 day" }) // /reports/42?expires=…&signature=…
 * const report = Route.get("/reports/{id}", show).pipe(Route.use(links.verify))
 * ```
 *
 * Who has the URL may do what it says, as often as he likes, until it expires: it stands in logs and histories. The signature is
 * of the method, the path, the query as it is written and, where the URL has one, of the host; not of the scheme, which proxies
 * change, nor of the fragment, which is never sent.
 *
 * @source Laravel's URL::temporarySignedRoute, Adonis' makeSignedUrl: aiohttp has none
 * @spec RFC 2104; RFC 3986 §3.3, §3.4; WHATWG URL §4.5
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpError from "./HttpError.ts"
import * as Query from "./http/Query.ts"
import * as target from "./internal/requests/target.ts"
import * as KeyRings from "./internal/secrets/keyRing.ts"
import * as Sealing from "./internal/secrets/sealing.ts"
import * as Middleware from "./Middleware.ts"

/** With which keys, and what for. */
export interface Options {
  /** Made by `Sealed.keys` or `Sealed.keysConfig`: the first signs, all verify. */
  readonly keys: KeyRings.KeyRing
  /** A URL signed for one purpose is not valid for another; "url" unless given. */
  readonly purpose?: string
}

/** What a signature allows. */
export interface SignOptions {
  /** How long it is valid, rounded up to seconds; `Duration.infinity` for ever. */
  readonly expiresIn: Duration.Input
  /** The method that it is valid for; "GET" unless given, which allows HEAD. "*" is any. */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "*" | (string & {})
}

/** Signs URLs and verifies them. */
export interface SignedUrl {
  /**
   * Adds `expires` (Unix seconds) and `signature` to a path, which is then valid on every host that has the route, or to an
   * absolute URL, which is valid on its host. Throws a TypeError for another text, and for a query that has these names already.
   */
  readonly sign: (url: string, options: SignOptions) => Effect.Effect<string>
  /**
   * Lets only signed URLs pass, as they were signed: parameters added, removed, changed or in another order are no more that.
   *
   * @errors Invalid (403) without a valid signature, Expired (410) with one whose time is over
   */
  readonly verify: Middleware.Middleware<never, Invalid | Expired>
}

/** The URL has no valid signature for this request. */
export class Invalid extends HttpError.define<Invalid>()("SignedUrlInvalid", { status: 403 }) {}

/** The signature was valid and has expired. */
export class Expired extends HttpError.define<Expired>()("SignedUrlExpired", { status: 410 }) {}

/** Makes what signs and what verifies. */
export const make = (options: Options): SignedUrl => {
  const keys = Sealing.deriver(KeyRings.secrets(options.keys), `effect-web/SignedUrl/1/${options.purpose ?? "url"}`)
  return {
    sign: (url, options) => {
      const parts = parse(url)
      return Effect.withFiber((fiber) =>
        Effect.flatMap(keys(fiber), ([key]) => sign(key as Sealing.Key, parts, options))
      )
    },
    verify: Middleware.before(
      Effect.flatMap(HttpServerRequest, (request) =>
        Effect.withFiber((fiber) => Effect.flatMap(keys(fiber), (keys) => verify(keys, request)))
      ),
      { errors: [Invalid, Expired] }
    )
  }
}

const sign = Effect.fnUntraced(function* (key: Sealing.Key, parts: Parts, { expiresIn, method = "GET" }: SignOptions) {
  const end = (yield* Clock.currentTimeMillis) / 1000 + Duration.toSeconds(expiresIn)
  const expires = Number.isFinite(end) ? [`expires=${Math.ceil(end)}`] : []
  const query = [...parts.query, ...expires].join("&")
  const tag = yield* key.sign(message(method.toUpperCase(), parts.host, parts.path, query))
  const signature = `signature=${key.id}.${tag}`
  return `${parts.origin}${parts.path}?${query === "" ? signature : `${query}&${signature}`}${parts.hash}`
})

const verify = Effect.fnUntraced(function* (keys: ReadonlyArray<Sealing.Key>, request: HttpServerRequest) {
  // Below a mounted handler `url` is a part of it only: the same for several
  const { path, search } = target.split(request.originalUrl)
  const [, query = "", id, tag] = SIGNED.exec(search) ?? []
  if (tag === undefined) return yield* invalid
  // What may have been signed of this request: for its method or for any, for its host or for any
  const method = request.method === "HEAD" ? "GET" : request.method
  const hosts = ["", target.host(request)]
  const messages = [method, "*"].flatMap((method) => hosts.map((host) => message(method, host, path, query)))
  for (const key of keys) {
    if (key.id !== id) continue
    for (const text of messages) {
      if (!(yield* key.verify(text, tag))) continue
      const expires = Number(EXPIRES.exec(query)?.[1] ?? Number.POSITIVE_INFINITY)
      return expires * 1000 > (yield* Clock.currentTimeMillis) ? undefined : yield* expired
    }
  }
  return yield* invalid
})

// The signature stands last, so that all before it is signed; so does the end before the signature.
const SIGNED = /^(?:(.*)&)?signature=([\w-]{6})\.([\w-]{43})$/
const EXPIRES = /(?:^|&)expires=(\d{1,15})$/

const invalid = Effect.suspend(() => Effect.fail(new Invalid({ text: "The URL has no valid signature" })))
const expired = Effect.suspend(() => Effect.fail(new Expired({ text: "The URL has expired" })))

// A path has no "?" and a host no line feed: no two requests have the same text.
const message = (method: string, host: string, path: string, query: string): string =>
  `${method}\n${host}\n${path}?${query}`

interface Parts {
  readonly origin: string
  readonly host: string
  readonly path: string
  readonly query: ReadonlyArray<string>
  readonly hash: string
}

// As a browser would send it: what it encodes is encoded before it is signed.
const parse = (url: string): Parts => {
  const isPath = /^\/(?![/\\])/.test(url)
  const parsed = isPath || /^https?:\/\//i.test(url) ? URL.parse(url, "http://localhost") : null
  if (parsed === null || parsed.username !== "") {
    throw new TypeError(
      `${JSON.stringify(url)} cannot be signed; give a path that begins with one "/", or an http or https URL`
    )
  }
  const { hash, host, origin, pathname, search } = parsed
  const query = Query.parse(search)
  const taken = ["expires", "signature"].find((name) => query.has(name))
  if (taken !== undefined)
    throw new TypeError(`The URL has a parameter "${taken}" already; rename it, the signature needs the name`)
  const rest = { path: pathname, query: search === "" ? [] : [search.slice(1)], hash }
  return isPath ? { origin: "", host: "", ...rest } : { origin, host, ...rest }
}
