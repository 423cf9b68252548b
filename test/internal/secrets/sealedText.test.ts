/**
 * Sealed texts find their key by its id, also where two keys have the same.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SealedText from "../../../src/internal/secrets/sealedText.ts"
import type { Key } from "../../../src/internal/secrets/sealing.ts"
import { nodeSealing } from "../../../src/server/internal/crypto/NodeSealing.ts"

const key = (secret: string) => nodeSealing.key(Buffer.from(secret.repeat(32)), "test")

for (const [name, form] of Object.entries({ encrypted: SealedText.encrypted, signed: SealedText.signed })) {
  describe(name, () => {
    it.effect("of two keys with one id the one opens that has sealed", () =>
      Effect.gen(function* () {
        const [a, b] = [yield* key("a"), yield* key("b")]
        const twin: Key = { ...b, id: a.id }
        const text = yield* form.seal(twin, "plain")
        assert.strictEqual(yield* form.open([a, twin], text), "plain")
        assert.isUndefined(yield* form.open([a, a], text))
      })
    )

    it.effect("no key of another id is tried", () =>
      Effect.gen(function* () {
        const [a, b] = [yield* key("a"), yield* key("b")]
        const never = () => Effect.die("tried")
        const text = yield* form.seal(a, "plain")
        assert.strictEqual(yield* form.open([{ ...b, decrypt: never, verify: never }, a], text), "plain")
        assert.isUndefined(yield* form.open([{ ...b, decrypt: never, verify: never }], text))
      })
    )
  })
}

describe("isShaped", () => {
  const tag = "A".repeat(43)
  const rows: ReadonlyArray<readonly [text: string, wanted: boolean]> = [
    ["e1.abc-_1.AAAA", true],
    [`s1.abc-_1.AAAA.${tag}`, true],
    ["e1.abc-_1.", false],
    ["e1.abc-_.AAAA", false],
    ["e2.abc-_1.AAAA", false],
    [`e1.abc-_1.AAAA.${tag}`, false],
    [`s1.abc-_1.AAAA.${tag}A`, false],
    ["e1.abc-_1.AAAA\n", false],
    ["e1.abc-_1.AA=A", false],
    ["", false]
  ]
  for (const [text, wanted] of rows) {
    it(JSON.stringify(text), () => assert.strictEqual(SealedText.isShaped(text), wanted))
  }
})
