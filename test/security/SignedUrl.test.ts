/**
 * Attacks on signed URLs: each that somebody may make of those that he was given.
 */
import { assert } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as App from "../../src/App.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Sealed from "../../src/Sealed.ts"
import * as SignedUrl from "../../src/SignedUrl.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { attacks } from "./attacks.ts"

const keys = Sealed.keys("a secret of thirty-two bytes; 001")
const links = SignedUrl.make({ keys })
const other = SignedUrl.make({ keys, purpose: "other" })
const handler = Response.text("secret")
const app = App.make({
  file: Route.any("/files/{name}", handler).pipe(Route.use(links.verify)),
  deep: Route.get("/files/{name}/more", handler).pipe(Route.use(links.verify))
})

const PLAIN = "/files/a?size=1&tag=b&tag=c"

/** A signed URL passes, and what the attacker makes of it is a 403. */
const refused = (
  change: (url: string) => Iterable<string>,
  request: (url: string) => HttpClientRequest.HttpClientRequest = HttpClientRequest.get
) =>
  Effect.gen(function* () {
    const client = yield* Testing.client(app)
    const url = yield* links.sign(PLAIN, { expiresIn: "1 hour" })
    assert.strictEqual((yield* client.get(url)).status, 200)
    for (const changed of change(url)) {
      const response = yield* client.execute(request(changed))
      assert.strictEqual(response.status, 403, changed)
      assert.notInclude(yield* response.text, "secret")
    }
  })

const signature = (url: string): string => /signature=(.*)$/.exec(url)?.[1] as string

attacks("signed URLs", [
  {
    attack: "no signature, an empty one, a short one, noise",
    stoppedBy: "the form of a signature",
    run: refused((url) =>
      [
        "",
        "signature=",
        "signature=a",
        "signature=aaaaaa.",
        `signature=${".".repeat(50)}`,
        "signature[]=a",
        "signature"
      ].map((text) => url.replace(/signature=.*$/, text))
    )
  },
  {
    attack: "a signature with one character changed, cut off, or added",
    stoppedBy: "HMAC-SHA-256, compared as text and in constant time",
    run: refused((url) =>
      Array.from(signature(url), (_, i) => {
        const at = url.length - signature(url).length + i
        return [`${url.slice(0, at)}${url[at] === "A" ? "B" : "A"}${url.slice(at + 1)}`, url.slice(0, at)]
      })
        .flat()
        .concat([`${url}A`, `${url}=`, `${url}%3D`, `${url}&`, `${url}%00`])
    )
  },
  {
    attack: "another path, a longer one, one spelled otherwise",
    stoppedBy: "the path is signed as it is written",
    run: refused((url) => ["/files/b", "/files/a/more", "/files/%61"].map((path) => url.replace("/files/a", path)))
  },
  {
    attack: "a parameter added in front, behind, between, or behind the signature",
    stoppedBy: "the query is signed as it is written, and ends in its signature",
    run: refused((url) => [
      url.replace("?", "?x=1&"),
      url.replace("?", "?&"),
      url.replace("&expires", "&x=1&expires"),
      url.replace("&signature", "&x=1&signature"),
      `${url}&x=1`,
      `${url}&size=2`
    ])
  },
  {
    attack: "a parameter removed, changed, doubled, moved or spelled otherwise",
    stoppedBy: "the query is signed as it is written",
    run: refused((url) => [
      url.replace("size=1&", ""),
      url.replace("size=1", "size=2"),
      url.replace("size=1", "size=1&size=1"),
      url.replace("size=1&tag=b", "tag=b&size=1"),
      url.replace("tag=b&tag=c", "tag=c&tag=b"),
      url.replace("size=1", "si%7Ae=1"),
      url.replace("size=1", "SIZE=1"),
      url.replace("&tag=b", "%26tag=b")
    ])
  },
  {
    attack: "a later end, none, or two of them",
    stoppedBy: "the end is signed, and the last thing before the signature",
    run: refused((url) => [
      url.replace("expires=3600", "expires=9999999999"),
      url.replace("&expires=3600", ""),
      url.replace("expires=3600", "expires=3600&expires=9999999999"),
      url.replace("expires=3600", "expires=9999999999&expires=3600"),
      url.replace("expires=3600", "expires=3600.5"),
      url.replace("expires=3600", "expires=NaN")
    ])
  },
  {
    attack: "two signatures",
    stoppedBy: "the last is the signature, the other is not what was signed",
    run: refused((url) => [
      `${url}&signature=${signature(url)}`,
      url.replace("&expires", `&signature=${signature(url)}&expires`),
      `${PLAIN}&signature=${signature(url)}&expires=3600`
    ])
  },
  {
    attack: "another method",
    stoppedBy: "the method is signed",
    run: Effect.forEach(["POST", "PUT", "DELETE", "PATCH"] as const, (method) =>
      refused((url) => [url], HttpClientRequest.make(method))
    )
  },
  {
    attack: "the signature of another URL",
    stoppedBy: "path and query are signed",
    run: Effect.gen(function* () {
      const elsewhere = yield* links.sign("/files/b", { expiresIn: "1 hour" })
      const forEver = yield* links.sign("/files/a", { expiresIn: Duration.infinity })
      yield* refused((url) => [elsewhere, forEver].map((given) => url.replace(signature(url), signature(given))))
    })
  },
  {
    attack: "a signature for another purpose, or with other secrets",
    stoppedBy: "each purpose has its own keys",
    run: Effect.gen(function* () {
      const foreign = SignedUrl.make({ keys: Sealed.keys("x".repeat(32)) })
      const urls = yield* Effect.forEach([other, foreign], (each) => each.sign(PLAIN, { expiresIn: "1 hour" }))
      yield* refused((url) =>
        urls.flatMap((each) => [each, each.replace(/(?<=signature=).{6}/, signature(url).slice(0, 6))])
      )
    })
  },
  {
    attack: "a URL of another host of the same site",
    stoppedBy: "the host of an absolute URL is signed",
    run: Effect.gen(function* () {
      const { pathname, search } = new URL(yield* links.sign(`http://a.example${PLAIN}`, { expiresIn: "1 hour" }))
      yield* refused(() => [pathname + search])
      const client = yield* Testing.client(app)
      const headers = { host: "a.example" }
      assert.strictEqual((yield* client.get(pathname + search, { headers })).status, 200)
    })
  },
  {
    attack: "a URL whose parameters say that they are the method, the host or the end",
    stoppedBy: "what is signed has one reading, and names of its own are refused",
    run: Effect.gen(function* () {
      for (const url of [
        "/files/a?x=%0A/files/b",
        "/files/a?x=1%26expires%3D9",
        "/files/a%0A?x=1",
        "/files/a%3Fexpires=9"
      ]) {
        const signed = yield* links.sign(url, { expiresIn: "1 hour" })
        yield* refused(() =>
          [signed.replace("files/a", "files/b"), signed.replace("%0A", "\n"), decodeURIComponent(signed)].filter(
            (each) => each !== signed && !each.includes("\n")
          )
        )
      }
    })
  },
  {
    attack: "a URL of one mounted handler at another that has the same paths and keys",
    stoppedBy: "the whole path is signed, with where it is mounted",
    run: Effect.gen(function* () {
      const mounted = App.toHandler(app)
      const both = App.make({ a: Route.mountHandler("/a", mounted), b: Route.mountHandler("/b", mounted) })
      const client = yield* Testing.client(both)
      const [own, bare] = [
        yield* links.sign(`/a${PLAIN}`, { expiresIn: "1 hour" }),
        yield* links.sign(PLAIN, { expiresIn: "1 hour" })
      ]
      assert.strictEqual((yield* client.get(own)).status, 200)
      for (const url of [own.replace("/a", "/b"), `/a${bare}`, `/b${bare}`]) {
        assert.strictEqual((yield* client.get(url)).status, 403, url)
      }
    })
  }
])
