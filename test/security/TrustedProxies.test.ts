/**
 * Attacks by the fields that proxies write.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as App from "../../src/App.ts"
import * as TrustedProxies from "../../src/middleware/TrustedProxies.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { attacks } from "./attacks.ts"

const seen = Effect.gen(function* () {
  return Response.text(`${yield* Request.remote} ${yield* Request.protocol} ${yield* Request.host}`)
})

/** What the server sees, whose peer is 127.0.0.1. */
const sees = (
  options: TrustedProxies.Options,
  headers: Readonly<Record<string, string>>,
  wanted: string,
  status = 200
) =>
  Effect.gen(function* () {
    const client = yield* Testing.client(
      App.make({ seen: Route.get("/", seen) }).pipe(App.use(TrustedProxies.make(options)))
    )
    const response = yield* client.get("/", { headers: { host: "shop.test", ...headers } })
    assert.deepStrictEqual([response.status, status === 200 ? yield* response.text : ""], [status, wanted])
  })

const here = { trusted: ["127.0.0.1"] }
const elsewhere = { trusted: ["10.0.0.0/8"] }
const all = { "x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "https", "x-forwarded-host": "evil.test" }

attacks("trusted proxies", [
  {
    attack: "a client writes the fields itself",
    stoppedBy: "its address is not trusted",
    run: sees(elsewhere, all, "127.0.0.1 http shop.test")
  },
  {
    attack: "a client writes an address, and the proxy appends its own",
    stoppedBy: "the hops are walked from the last: only what trusted ones wrote counts",
    run: sees(here, { "x-forwarded-for": "6.6.6.6, 198.51.100.7" }, "198.51.100.7 http shop.test")
  },
  {
    attack: "a client names a trusted address, to be walked past",
    stoppedBy: "its real address stands behind it",
    run: sees(here, { "x-forwarded-for": "6.6.6.6, 127.0.0.1, 198.51.100.7" }, "198.51.100.7 http shop.test")
  },
  {
    attack: "a client writes the field that the proxies do not",
    stoppedBy: "only the one field that is named counts",
    run: sees(here, { forwarded: "for=6.6.6.6;proto=https;host=evil.test" }, "127.0.0.1 http shop.test")
  },
  {
    attack: "the other way round",
    stoppedBy: "only the one field that is named counts",
    run: sees({ ...here, header: "forwarded" }, all, "127.0.0.1 http shop.test")
  },
  {
    attack: "a second scheme before that of the proxy",
    stoppedBy: "lists of another length than the addresses' do not count",
    run: sees(
      here,
      { "x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "https, http" },
      "198.51.100.7 http shop.test"
    )
  },
  {
    attack: "a scheme that is none",
    stoppedBy: "it does not count",
    run: sees(
      here,
      { "x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "javascript" },
      "198.51.100.7 http shop.test"
    )
  },
  {
    attack: "a host with a path or a line break",
    stoppedBy: "it does not count",
    run: sees(
      here,
      { "x-forwarded-for": "198.51.100.7", "x-forwarded-host": "evil.test/%0d%0a" },
      "198.51.100.7 http shop.test"
    )
  },
  {
    attack: "an address that is none",
    stoppedBy: "the walk ends at who vouches for it",
    run: sees(here, { "x-forwarded-for": "<script>, 198.51.100.7:x" }, "127.0.0.1 http shop.test")
  },
  {
    attack: "a thousand hops",
    stoppedBy: "the limit of the header block, and one pass from the end",
    run: sees(here, { "x-forwarded-for": `${"127.0.0.1,".repeat(1000)}198.51.100.7` }, "198.51.100.7 http shop.test")
  },
  {
    attack: "a client goes around the proxies",
    stoppedBy: "400 with strict",
    run: sees({ ...elsewhere, strict: true }, all, "", 400)
  },
  {
    attack: "a proxy that was not told to write the field",
    stoppedBy: "400 with strict",
    run: sees({ ...here, strict: true }, {}, "", 400)
  }
])
