/**
 * What is read in Sec-WebSocket-Extensions.
 */
import { assert, describe, it } from "@effect/vitest"
import { deflateOffer } from "../../../src/internal/webSocket/extensions.ts"

const taken: ReadonlyArray<readonly [header: string, wanted: string | undefined]> = [
  ["permessage-deflate", "permessage-deflate"],
  ["foo, permessage-deflate ; client_max_window_bits , bar", "permessage-deflate ; client_max_window_bits"],
  [
    "permessage-deflate; x, permessage-deflate; client_max_window_bits=15",
    "permessage-deflate; client_max_window_bits=15"
  ],
  ['permessage-deflate; client_max_window_bits="15"', 'permessage-deflate; client_max_window_bits="15"'],
  ["permessage-deflate, permessage-deflate; server_no_context_takeover", "permessage-deflate"],
  ["PERMESSAGE-DEFLATE", undefined],
  ["permessage-deflate; toString", undefined],
  ["permessage-deflate; client_max_window_bits=8.0", undefined],
  ["permessage-deflate; client_max_window_bits; client_max_window_bits=9", undefined],
  ["permessage-deflat", undefined],
  [", ,foo; a=1; b", undefined]
]

describe("the offer that is taken", () => {
  for (const [header, wanted] of taken) it(header, () => assert.strictEqual(deflateOffer(header), wanted))
})

const broken = [
  "",
  ",",
  ";",
  "a;",
  "a;;b",
  "a b",
  "a; b=",
  'a; b="',
  'a; b="c d"',
  'a; b="c\\"d"',
  "a=b",
  "=a",
  "permessage-deflate, a b",
  "a; é"
]

describe("what is no list of extensions", () => {
  for (const header of broken) it(JSON.stringify(header), () => assert.throws(() => deflateOffer(header), SyntaxError))
})

it("a long header takes no long time", () => {
  const begin = performance.now()
  assert.strictEqual(deflateOffer("a; b=c, ".repeat(2000)), undefined)
  assert.throws(() => deflateOffer(`a; b="${"\\".repeat(16_000)}`), SyntaxError)
  assert.isBelow(performance.now() - begin, 200)
})
