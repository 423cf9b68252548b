/**
 * Attacks on sealed values: each text that an attacker may make of those that he has.
 */
import * as Util from "node:util"
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { portable, Sealing } from "../../src/internal/secrets/sealing.ts"
import * as Sealed from "../../src/Sealed.ts"
import { nodeSealing } from "../../src/server/internal/crypto/NodeSealing.ts"
import { attacks } from "./attacks.ts"

const User = Schema.Struct({ name: Schema.String })
const secret = "the secret of the site, never shown"
const keys = Sealed.keys(Redacted.make(secret), "an older secret of the same site, too")
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

type Mode = "encrypt" | "sign"
const seal = (mode: Mode, purpose = "login") => Sealed.make({ schema: User, keys, purpose, maxAge: "1 hour", mode })

/** None of the texts opens, for one of the reasons, with nothing of it in the error. */
const refused = Effect.fnUntraced(function* (
  open: (text: string) => Effect.Effect<unknown, Sealed.SealedError>,
  texts: Iterable<string>
) {
  for (const text of texts) {
    const exit = yield* Effect.exit(open(text))
    assert.isTrue(Exit.isFailure(exit), text)
    const error = Cause.squash((exit as Exit.Failure<unknown, unknown>).cause) as Sealed.SealedError
    assert.instanceOf(error, Sealed.SealedError)
    assert.include(["malformed", "forged"], error.reason)
    assert.match(error.message, /^The sealed text is (malformed|forged)$/)
    // The trace has names of files, so it is left out
    assert.notInclude(Util.inspect({ ...error, stack: "" }, { depth: 9 }), text.length > 8 ? text.slice(0, -2) : "\0")
  }
})

const withText = (mode: Mode, f: (text: string) => Iterable<string>) =>
  Effect.gen(function* () {
    const { open, seal: make } = seal(mode)
    yield* refused(open, f(yield* make({ name: "Ann" })))
  })

const every = (text: string, f: (index: number) => string) => Array.from(text, (_, index) => f(index))

/** The same bytes in another spelling: the last character of a group has bits that mean nothing, if the length is not of fours. */
const respelled = (text: string): ReadonlyArray<string> =>
  Array.from(ALPHABET, (character) => text.slice(0, -1) + character).filter(
    (other) => other !== text && Buffer.from(other.split(".").at(-1) as string, "base64url").length > 0
  )

for (const [engine, sealing] of [
  ["node", nodeSealing],
  ["portable", portable]
] as const) {
  for (const mode of ["encrypt", "sign"] as const) {
    const on = Effect.provideService(Sealing, sealing)
    const run = (f: (text: string) => Iterable<string>) => on(withText(mode, f))
    attacks(`sealed values (${mode}, ${engine})`, [
      {
        attack: "a text that is cut off anywhere",
        stoppedBy: "the tag at its end",
        run: run((text) => every(text, (index) => text.slice(0, index)))
      },
      {
        attack: "a text with one character changed",
        stoppedBy: "all of it is signed, the id of the key finds no key",
        run: run((text) => every(text, (i) => text.slice(0, i) + (text[i] === "A" ? "B" : "A") + text.slice(i + 1)))
      },
      {
        attack: "a text with something added",
        stoppedBy: "only the spelling that was made is taken",
        run: run((text) =>
          ["A", "=", "==", ".", "\n", " ", "\u0000", `.${text}`, text, "%3D"].map((more) => text + more)
        )
      },
      {
        attack: "a text with something in front",
        stoppedBy: "the form begins with its version",
        run: run((text) => [" ", "\n", "A", "\ufeff"].map((more) => more + text))
      },
      {
        attack: "characters that a decoder skips",
        stoppedBy: "only the spelling that was made is taken",
        run: run((text) =>
          ["\n", " ", "=", "*", "é"].flatMap((more) => every(text, (i) => text.slice(0, i) + more + text.slice(i)))
        )
      },
      {
        attack: "the other spellings of the same bytes",
        stoppedBy: "only the spelling that was made is taken",
        run: run((text) =>
          [...respelled(text), text.replaceAll("-", "+").replaceAll("_", "/")].filter((each) => each !== text)
        )
      },
      {
        attack: "parts of two texts put together",
        stoppedBy: "the tag is of the whole",
        run: on(
          Effect.gen(function* () {
            const { open, seal: make } = seal(mode)
            const [a, b] = [yield* make({ name: "Ann" }), yield* make({ name: "Bob" })]
            yield* refused(
              open,
              every(a, (i) => a.slice(0, i) + b.slice(i)).filter((each) => each !== a && each !== b)
            )
          })
        )
      },
      {
        attack: "a text for another purpose, of the same keys and schema",
        stoppedBy: "each purpose has its own keys",
        run: on(
          Effect.gen(function* () {
            const text = yield* seal(mode, "newsletter").seal({ name: "Ann" })
            yield* refused(seal(mode).open, [
              text,
              `${(yield* seal(mode).seal({ name: "Ann" })).slice(0, 10)}${text.slice(10)}`
            ])
          })
        )
      },
      {
        attack: "a text of the other mode, as it is and renamed",
        stoppedBy: "each mode has its own keys",
        run: on(
          Effect.gen(function* () {
            const text = yield* seal(mode === "sign" ? "encrypt" : "sign").seal({ name: "Ann" })
            const own = yield* seal(mode).seal({ name: "Ann" })
            yield* refused(seal(mode).open, [text, own.slice(0, 3) + text.slice(3), own.slice(0, 10) + text.slice(10)])
          })
        )
      },
      {
        attack: "a text of a site with other secrets",
        stoppedBy: "the keys",
        run: on(
          Effect.gen(function* () {
            const options = { schema: User, keys: Sealed.keys("x".repeat(32)), purpose: "login", mode }
            const text = yield* Sealed.make(options).seal({ name: "Ann" })
            const own = yield* seal(mode).seal({ name: "Ann" })
            yield* refused(seal(mode).open, [text, own.slice(0, 10) + text.slice(10)])
          })
        )
      },
      {
        attack: "nothing, noise, and a megabyte of it",
        stoppedBy: "the form",
        run: run(() => [
          "",
          ".",
          "e1",
          "e1.",
          "s1..",
          "e1.aaaaaa.",
          "s1.aaaaaa.a.",
          "null",
          "__proto__",
          "A".repeat(1 << 20)
        ])
      }
    ])
  }
}

attacks("the secrets of sealed values", [
  {
    attack: "a key ring that is printed, logged or serialized",
    stoppedBy: "it prints as <redacted>",
    run: Effect.sync(() => {
      for (const text of [
        String(keys),
        `${keys}`,
        JSON.stringify({ keys }),
        Util.inspect({ keys }, { depth: 9, showHidden: true })
      ]) {
        assert.include(text, "<redacted>")
        assert.notInclude(text, secret)
        assert.notMatch(text, /116|0x74|Uint8Array/)
      }
    })
  },
  {
    attack: "a seal that is printed",
    stoppedBy: "it has its keys in closures",
    run: Effect.gen(function* () {
      const login = seal("encrypt")
      yield* login.seal({ name: "Ann" })
      assert.notMatch(Util.inspect(login, { depth: 9, showHidden: true }), /116|Uint8Array|KeyObject/)
    })
  },
  {
    attack: "a value of which an encrypted text is read",
    stoppedBy: "AES-256-GCM",
    run: Effect.gen(function* () {
      const text = yield* seal("encrypt").seal({ name: "Ann Ann Ann" })
      const bytes = Buffer.from(text.slice(10), "base64url").toString("latin1")
      assert.notInclude(bytes, "Ann")
    })
  }
])
