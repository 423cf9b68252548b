/**
 * Attacks on passwords: by those who log in, and by those who got at the stored hashes.
 */
import * as Util from "node:util"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { bounded } from "../../src/server/internal/crypto/passwordHash.ts"
import * as Password from "../../src/server/Password.ts"
import { leaveAfter } from "../leaving.ts"
import { attacks } from "./attacks.ts"

const secret = Redacted.make("correct horse")
const cheap = Password.argon2id({ memory: "64 KiB", passes: 1 })
const hash = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

/** Fails as soon as anything is hashed by the algorithm of the app. */
const unused = new Proxy(cheap, {
  get: () => {
    throw new Error("A password was hashed")
  }
})

/** Runs with an algorithm that says how often it was used. */
const counted = <A, E>(effect: Effect.Effect<A, E>) => {
  let uses = 0
  const algorithm = new Proxy(cheap, {
    get: (target, name) => {
      if (name === "memory") uses++
      return Reflect.get(target, name)
    }
  })
  return Effect.map(Effect.provideService(effect, Password.Algorithm, algorithm), () => uses)
}

const wrong = (stored: Iterable<string>) =>
  Effect.gen(function* () {
    for (const each of stored) assert.isFalse(yield* Password.verify(secret, each), each)
  }).pipe(Effect.provideService(Password.Algorithm, cheap))

attacks("passwords", [
  {
    attack: "to find out who has an account by the time of the answer",
    stoppedBy: "for nobody a password is hashed as for somebody",
    run: Effect.gen(function* () {
      const stored = yield* Effect.provideService(Password.hash(secret), Password.Algorithm, cheap)
      assert.strictEqual(yield* counted(Password.verify(secret, undefined)), 1)
      assert.strictEqual(yield* counted(Password.verify(secret, "no hash")), 1)
      // Here the costs are those of the stored hash, which are the same
      assert.strictEqual(yield* counted(Password.verify(secret, stored)), 0)
    })
  },
  {
    attack: "a password of 16 MiB",
    stoppedBy: "its length is looked at before it is hashed or normalized",
    run: Effect.gen(function* () {
      const long = Redacted.make("\ufdfa".repeat(1 << 24))
      assert.isFalse(yield* Password.verify(long, undefined))
      assert.isFalse(yield* Password.verify(long, `$scrypt$ln=18,r=8,p=4$c29tZXNhbHQ$${hash}`))
      assert.strictEqual((yield* Effect.flip(Password.hash(long))).status, 422)
    }).pipe(Effect.provideService(Password.Algorithm, unused))
  },
  {
    attack: "a stored hash that asks for terabytes or for years",
    stoppedBy: "its costs are bounded before they are used: 256 MiB, 1 GiB over all passes",
    run: wrong([
      `$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$${hash}`,
      `$argon2id$v=19$m=9999999,t=1,p=1$c29tZXNhbHQ$${hash}`,
      `$argon2id$v=19$m=8,t=4294967295,p=1$c29tZXNhbHQ$${hash}`,
      `$argon2id$v=19$m=262144,t=9,p=1$c29tZXNhbHQ$${hash}`,
      `$scrypt$ln=63,r=8,p=1$c29tZXNhbHQ$${hash}`,
      `$scrypt$ln=20,r=32,p=16$c29tZXNhbHQ$${hash}`,
      `$scrypt$ln=1,r=8,p=1073741823$c29tZXNhbHQ$${hash}`
    ])
  },
  {
    attack: "a stored hash that was cut short, so that few bits or none must fit",
    stoppedBy: "a hash has at least 16 bytes and fits as a whole",
    run: Effect.gen(function* () {
      const stored = yield* Effect.provideService(Password.hash(secret), Password.Algorithm, cheap)
      yield* wrong(
        Array.from({ length: stored.length - 1 }, (_, index) => stored.slice(0, index + 1)).filter(
          (each) => Buffer.from(each.split("$")[5] ?? "", "base64").length !== 32
        )
      )
    })
  },
  {
    attack: "the password of one user stored for another, with the salt of that one",
    stoppedBy: "the hash is of the salt too",
    run: Effect.gen(function* () {
      const make = Effect.provideService(Password.hash(secret), Password.Algorithm, cheap)
      const [a, b] = [(yield* make).split("$"), (yield* make).split("$")]
      yield* wrong([[...a.slice(0, 5), b[5]].join("$"), [...a.slice(0, 4), b[4], a[5]].join("$")])
    })
  },
  {
    attack: "a password in a log, an error or a span",
    stoppedBy: "it is Redacted, and no failure has it",
    run: Effect.gen(function* () {
      const long = Redacted.make(`hunter2${"x".repeat(2000)}`)
      const error = yield* Effect.flip(Password.hash(long))
      const shown = `${Util.inspect(error, { depth: 9, showHidden: true })}${JSON.stringify(error)}${error}${Util.inspect(long)}`
      assert.notInclude(shown, "hunter2")
    })
  },
  {
    attack: "logins that are broken off at any moment, to take every place in the line",
    stoppedBy: "who leaves gives his place back",
    run: Effect.gen(function* () {
      const inTurn = bounded(1, 0)
      for (let steps = 0; steps < 12; steps++) {
        yield* leaveAfter(steps, inTurn(Effect.yieldNow))
        assert.strictEqual(yield* inTurn(Effect.succeed("mine")), "mine", `after ${steps} steps`)
      }
    })
  }
])
