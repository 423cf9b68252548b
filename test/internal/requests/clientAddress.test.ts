/**
 * Who sent a request: what proxies have written counts, what a client writes does not.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Request from "../../../src/Request.ts"
import { sent } from "../../requests.ts"

describe("the client behind proxies", () => {
  const host = "app.test"
  const all: ReadonlyArray<
    readonly [string, Parameters<typeof Request.client>[0], string | undefined, Record<string, string>, object]
  > = [
    [
      "is the peer when that is not trusted",
      { trusted: ["10.0.0.0/8"] },
      "8.8.8.8",
      { "x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https" },
      { address: "8.8.8.8", protocol: "http", host }
    ],
    [
      "is unknown when the peer is",
      { trusted: ["0.0.0.0/0"] },
      undefined,
      { "x-forwarded-for": "1.1.1.1" },
      { address: undefined, protocol: "http", host }
    ],
    [
      "is what a trusted unix socket says",
      { trusted: ["unix"] },
      undefined,
      { "x-forwarded-for": "6.6.6.6, 1.1.1.1", "x-forwarded-proto": "https" },
      { address: "1.1.1.1", protocol: "https", host }
    ],
    [
      "is the peer when only a unix socket is trusted",
      { trusted: ["unix"] },
      "8.8.8.8",
      { "x-forwarded-for": "1.1.1.1" },
      { address: "8.8.8.8", protocol: "http", host }
    ],
    [
      "is the peer when nothing is forwarded",
      { trusted: ["10.0.0.1"] },
      "10.0.0.1",
      {},
      { address: "10.0.0.1", protocol: "http", host }
    ],
    [
      "is what the proxy saw, not what the client says",
      { trusted: ["10.0.0.0/8"] },
      "::ffff:10.0.0.1",
      { "x-forwarded-for": "6.6.6.6, 198.51.100.7" },
      { address: "198.51.100.7", protocol: "http", host }
    ],
    [
      "is behind every trusted proxy",
      { trusted: ["10.0.0.0/8", "fd00::/8"] },
      "10.0.0.1",
      { "x-forwarded-for": "6.6.6.6, 198.51.100.7, fd00::5, 10.0.0.2" },
      { address: "198.51.100.7", protocol: "http", host }
    ],
    [
      "is the first when all are trusted",
      { trusted: ["10.0.0.0/8"] },
      "10.0.0.1",
      { "x-forwarded-for": "10.0.0.3, 10.0.0.2" },
      { address: "10.0.0.3", protocol: "http", host }
    ],
    [
      "is the last known hop before garbage",
      { trusted: ["10.0.0.0/8"] },
      "10.0.0.1",
      { "x-forwarded-for": "1.1.1.1, unknown, 10.0.0.2" },
      { address: "10.0.0.2", protocol: "http", host }
    ],
    [
      "is the peer when the hop is malformed",
      { trusted: ["10.0.0.1"] },
      "10.0.0.1",
      { "x-forwarded-for": "1.2.3.4:x" },
      { address: "10.0.0.1", protocol: "http", host }
    ],
    [
      "is found past a trusted IPv4 network written as IPv6",
      { trusted: ["::ffff:10.0.0.1"] },
      "10.0.0.1",
      { "x-forwarded-for": "1.1.1.1" },
      { address: "1.1.1.1", protocol: "http", host }
    ],
    [
      "may have a port",
      { trusted: ["10.0.0.1"] },
      "10.0.0.1",
      { "x-forwarded-for": "[2001:db8::1]:80" },
      { address: "2001:db8::1", protocol: "http", host }
    ],
    [
      "has the scheme and the host of its hop",
      { trusted: ["10.0.0.0/8"] },
      "10.0.0.1",
      {
        "x-forwarded-for": "6.6.6.6, 1.1.1.1, 10.0.0.2",
        "x-forwarded-proto": "http, https, http",
        "x-forwarded-host": "evil, Shop.Test:81, in"
      },
      { address: "1.1.1.1", protocol: "https", host: "shop.test:81" }
    ],
    [
      "has one scheme for all hops",
      { trusted: ["10.0.0.0/8"] },
      "10.0.0.1",
      { "x-forwarded-for": "6.6.6.6, 1.1.1.1", "x-forwarded-proto": "https" },
      { address: "1.1.1.1", protocol: "https", host }
    ],
    [
      "has the scheme of the connection when the lists differ",
      { trusted: ["10.0.0.0/8"] },
      "10.0.0.1",
      { "x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https, http", "x-forwarded-host": "a b" },
      { address: "1.1.1.1", protocol: "http", host }
    ],
    [
      "does not come from Forwarded unless that is chosen",
      { trusted: ["10.0.0.1"] },
      "10.0.0.1",
      { forwarded: "for=6.6.6.6", "x-forwarded-for": "1.1.1.1" },
      { address: "1.1.1.1", protocol: "http", host }
    ],
    [
      "comes from Forwarded when that is chosen",
      { trusted: ["10.0.0.0/8"], header: "forwarded" },
      "10.0.0.1",
      {
        forwarded: 'for=6.6.6.6, for="[2001:db8::1]:80";proto=HTTPS;host=shop.test, for=10.0.0.2',
        "x-forwarded-for": "7.7.7.7"
      },
      { address: "2001:db8::1", protocol: "https", host: "shop.test" }
    ],
    [
      "stays hidden behind an obfuscated name",
      { trusted: ["10.0.0.0/8"], header: "forwarded" },
      "10.0.0.1",
      { forwarded: "for=1.1.1.1, for=_hidden" },
      { address: "10.0.0.1", protocol: "http", host }
    ],
    [
      "is not known, and the scheme and host are, where a trusted proxy hides it",
      { trusted: ["10.0.0.0/8"], header: "forwarded" },
      "10.0.0.1",
      { forwarded: "for=6.6.6.6;proto=http, for=unknown;proto=https;host=shop.test, for=10.0.0.2;proto=http" },
      { address: "10.0.0.2", protocol: "https", host: "shop.test" }
    ],
    [
      "is not known, and the scheme and host are, where Forwarded does not have it",
      { trusted: ["10.0.0.1"], header: "forwarded" },
      "10.0.0.1",
      { forwarded: "proto=https;host=shop.test" },
      { address: "10.0.0.1", protocol: "https", host: "shop.test" }
    ],
    [
      "is the peer where it has written the scheme and the host alone",
      { trusted: ["10.0.0.1"] },
      "10.0.0.1",
      { "x-forwarded-proto": "http, https", "x-forwarded-host": "shop.test" },
      { address: "10.0.0.1", protocol: "https", host: "shop.test" }
    ],
    [
      "is the peer, with what it asked for, where nobody trusts it",
      { trusted: ["10.0.0.1"] },
      "8.8.8.8",
      { "x-forwarded-proto": "https", "x-forwarded-host": "shop.test" },
      { address: "8.8.8.8", protocol: "http", host }
    ]
  ]
  for (const [name, options, peer, headers, wanted] of all) {
    const from = { headers, ...(peer === undefined ? undefined : { peer }) }
    it.effect(name, () =>
      Effect.map(sent(Request.client(options), from), (found) => assert.deepStrictEqual(found, wanted as never))
    )
  }
  it("a malformed network throws when declared", () =>
    assert.throws(
      () => Request.client({ trusted: ["10.0.0.0/8", "lan"] }),
      '"lan" is neither an address nor a network; write "10.0.0.1"'
    ))
})
