/**
 * What is sealed opens for who has the keys, for its purpose, in its time.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Sealed from "../src/Sealed.ts"

const Cart = Schema.Struct({ items: Schema.Array(Schema.Int) })
const keys = Sealed.keys("a secret of thirty-two bytes, 01")

it.effect("a value comes out as it went in", () =>
  Effect.gen(function* () {
    const cart = Sealed.make({ schema: Cart, keys, purpose: "cart" })
    const text = yield* cart.seal({ items: [1, 2] })
    assert.match(text, /^e1\.[\w-]{6}\.[\w-]+$/)
    assert.deepStrictEqual(yield* cart.open(text), { items: [1, 2] })
  })
)
