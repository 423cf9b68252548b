/**
 * Passwords: the hashes are those of the standards, verified in bounded time and memory.
 */
import * as Crypto from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import { bounded, deriver, hasArgon2id } from "../../src/server/internal/crypto/passwordHash.ts"
import * as Password from "../../src/server/Password.ts"

const cheap = {
  argon2id: Password.argon2id({ memory: "64 KiB", passes: 1 }),
  scrypt: Password.scrypt({ logCost: 4, parallelism: 1 })
}
const by = (algorithm: Password.Argon2id | Password.Scrypt) => Effect.provideService(Password.Algorithm, algorithm)
const secret = (text: string) => Redacted.make(text)

describe("known hashes are verified", () => {
  const rows: ReadonlyArray<readonly [source: string, password: string, stored: string]> = [
    [
      "Argon2's reference tests",
      "password",
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
    ],
    [
      "Argon2's reference tests, 256 KiB",
      "password",
      "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
    ],
    [
      "Argon2's reference tests, 2 lanes",
      "password",
      "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"
    ],
    [
      "Argon2's reference tests, another password",
      "differentpassword",
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94"
    ],
    [
      "RFC 7914 §12",
      "pleaseletmein",
      "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw"
    ],
    [
      "passlib's documents",
      "password",
      "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"
    ]
  ]
  for (const [source, password, stored] of rows) {
    it.effect(`of ${source}`, () =>
      Effect.gen(function* () {
        assert.isTrue(yield* Password.verify(secret(password), stored))
        assert.isFalse(yield* Password.verify(secret(`${password}.`), stored))
      })
    )
  }
})

for (const [name, algorithm] of Object.entries(cheap)) {
  describe(`by ${name}`, () => {
    it.effect("a password is that of its hash, another is not, and two hashes of it differ", () =>
      Effect.gen(function* () {
        const [a, b] = [yield* Password.hash(secret("pass word ")), yield* Password.hash(secret("pass word "))]
        assert.notStrictEqual(a, b)
        assert.isTrue(yield* Password.verify(secret("pass word "), a))
        assert.isTrue(yield* Password.verify(secret("pass word "), b))
        for (const other of ["", "pass word", "Pass word ", "pass word  ", "\u0000pass word "]) {
          assert.isFalse(yield* Password.verify(secret(other), a), JSON.stringify(other))
        }
      }).pipe(by(algorithm))
    )

    it.effect("a letter is the same however a keyboard writes it", () =>
      Effect.gen(function* () {
        const stored = yield* Password.hash(secret("caf\u00e9 \ufb01 \u2460"))
        assert.isTrue(yield* Password.verify(secret("cafe\u0301 fi 1"), stored))
        assert.isFalse(yield* Password.verify(secret("cafe fi 1"), stored))
      }).pipe(by(algorithm))
    )

    it.effect("a password of 1024 bytes counts to its last, a longer one is refused", () =>
      Effect.gen(function* () {
        const long = `${"x".repeat(1022)}é`
        const stored = yield* Password.hash(secret(long))
        assert.isTrue(yield* Password.verify(secret(long), stored))
        assert.isFalse(yield* Password.verify(secret(`${"x".repeat(1022)}è`), stored))
        for (const longer of [`${long}x`, "é".repeat(513), "x".repeat(1 << 24)]) {
          const error = yield* Effect.flip(Password.hash(secret(longer)))
          assert.deepStrictEqual([error._tag, error.status], ["PasswordTooLong", 422])
          assert.isFalse(yield* Password.verify(secret(longer), stored))
        }
      }).pipe(by(algorithm))
    )
  })
}

describe("the costs are OWASP's", () => {
  const rows = [
    ["argon2id", Password.argon2id(), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/],
    ["scrypt", Password.scrypt(), /^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/]
  ] as const
  for (const [name, algorithm, form] of rows) {
    it.effect(name, () =>
      Effect.gen(function* () {
        assert.match(yield* Password.hash(secret("a")), form)
      }).pipe(by(algorithm))
    )
  }

  it.effect("of the best algorithm that there is", () =>
    Effect.gen(function* () {
      assert.match(yield* Password.hash(secret("a")), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    })
  )
})

describe("a Node without Argon2id", () => {
  const without = { ...Crypto, argon2: undefined, argon2Sync: undefined }
  const failing = () => {
    throw Object.assign(new Error("Argon2 not supported"), { code: "ERR_CRYPTO_ARGON2_NOT_SUPPORTED" })
  }

  it("is told from one that has it", () => {
    assert.isTrue(hasArgon2id(Crypto))
    assert.isFalse(hasArgon2id(without))
    assert.isFalse(hasArgon2id({ ...Crypto, argon2Sync: failing }))
  })

  it.effect("dies of a hash by it, and says where there is one", () =>
    Effect.gen(function* () {
      const derive = deriver(without, bounded(1, 1))
      assert.strictEqual((yield* derive(cheap.scrypt, "a", Buffer.alloc(16), 32)).length, 32)
      const exit = yield* Effect.exit(derive(cheap.argon2id, "a", Buffer.alloc(16), 32))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.match(String(Cause.squash((exit as Exit.Failure<unknown, unknown>).cause)), /24\.7 and later do/)
    })
  )
})

describe("needsRehash", () => {
  const hash = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
  const salt = "aM15713r3Xsvxbi31lqr1Q"
  const { argon2id, scrypt } = { argon2id: Password.argon2id(), scrypt: Password.scrypt() }
  const rows: ReadonlyArray<readonly [string, Password.Argon2id | Password.Scrypt, string, boolean]> = [
    ["the same costs", argon2id, `$argon2id$v=19$m=19456,t=2,p=1$${salt}$${hash}`, false],
    ["more memory", argon2id, `$argon2id$v=19$m=65536,t=3,p=4$${salt}$${hash}`, false],
    ["less memory", argon2id, `$argon2id$v=19$m=19455,t=2,p=1$${salt}$${hash}`, true],
    ["fewer passes", argon2id, `$argon2id$v=19$m=19456,t=1,p=1$${salt}$${hash}`, true],
    ["less work in more memory", argon2id, `$argon2id$v=19$m=38911,t=1,p=1$${salt}$${hash}`, true],
    ["OWASP's costs with one pass", argon2id, `$argon2id$v=19$m=47104,t=1,p=1$${salt}$${hash}`, false],
    ["a short salt", argon2id, `$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$${hash}`, true],
    ["a short hash", argon2id, `$argon2id$v=19$m=65536,t=3,p=4$${salt}$${salt}`, true],
    ["scrypt where Argon2id is wanted", argon2id, `$scrypt$ln=18,r=8,p=1$${salt}$${hash}`, true],
    ["Argon2id where scrypt is wanted", scrypt, `$argon2id$v=19$m=19456,t=2,p=1$${salt}$${hash}`, false],
    ["the same costs of scrypt", scrypt, `$scrypt$ln=15,r=8,p=3$${salt}$${hash}`, false],
    ["OWASP's other costs of scrypt", scrypt, `$scrypt$ln=17,r=8,p=1$${salt}$${hash}`, false],
    ["less memory of scrypt", scrypt, `$scrypt$ln=14,r=8,p=5$${salt}$${hash}`, true],
    ["less work of scrypt", scrypt, `$scrypt$ln=15,r=8,p=2$${salt}$${hash}`, true],
    ["what is no hash", argon2id, "$2b$12$R9h/cIPz0gi", true]
  ]
  for (const [name, algorithm, stored, wanted] of rows) {
    it.effect(`${name}: ${wanted}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* Password.needsRehash(stored), wanted)
      }).pipe(by(algorithm))
    )
  }
})

describe("declared wrongly", () => {
  const rows: ReadonlyArray<readonly [string, () => unknown, RegExp]> = [
    [
      "too much memory",
      () => Password.argon2id({ memory: "1 GiB" }),
      /Argon2id cannot be used with these costs: memory is from 8 KiB/
    ],
    ["a part of a KiB", () => Password.argon2id({ memory: 19_000_001 }), /memory is from/],
    ["no passes", () => Password.argon2id({ passes: 0 }), /passes are from 1/],
    ["half a lane", () => Password.argon2id({ parallelism: 0.5 }), /parallelism is from 1 to 16/],
    [
      "the cost itself, not its logarithm",
      () => Password.scrypt({ logCost: 32768 }),
      /Scrypt .*: logCost is from 1 to 20/
    ],
    ["wide blocks of a high cost", () => Password.scrypt({ logCost: 20 }), /is up to 256 MiB/]
  ]
  for (const [name, make, message] of rows) it(name, () => assert.throws(make, TypeError, message))
})

describe("at most so many at a time", () => {
  it.effect("some run, some wait, the rest is answered 503, and who leaves makes room", () =>
    Effect.gen(function* () {
      const inTurn = bounded(2, 1)
      const gate = yield* Deferred.make<void>()
      let running = 0
      const work = inTurn(
        Effect.andThen(
          Effect.sync(() => running++),
          Deferred.await(gate)
        )
      )
      const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(work, { startImmediately: true }))
      assert.strictEqual(running, 2)
      const error = yield* Effect.flip(work)
      assert.deepStrictEqual([error._tag, error.status], ["ServiceUnavailable", 503])
      yield* Fiber.interrupt(fibers[2] as Fiber.Fiber<void, unknown>)
      const fourth = yield* Effect.forkChild(work, { startImmediately: true })
      assert.strictEqual(running, 2)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(fourth)
      yield* inTurn(Effect.void)
      assert.strictEqual(running, 3)
    })
  )

  it.effect("a flood of 200 is answered, and the rest is as before", () =>
    Effect.gen(function* () {
      const stored = yield* Password.hash(secret("a"))
      const exits = yield* Effect.forEach(
        Array.from({ length: 200 }),
        () => Effect.exit(Password.verify(secret("a"), stored)),
        { concurrency: "unbounded" }
      )
      const right = exits.filter((exit) => Exit.isSuccess(exit) && exit.value)
      const busy = exits.filter(
        (exit) => Exit.isFailure(exit) && (Cause.squash(exit.cause) as { readonly status?: number }).status === 503
      )
      assert.deepStrictEqual([right.length, busy.length], [66, 134])
      assert.isTrue(yield* Password.verify(secret("a"), stored))
    }).pipe(by(cheap.argon2id))
  )
})

describe("a stored text that cannot be read", () => {
  it.effect("fits no password, and a warning says so without it", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.map(Logger.formatStructured, (line) => lines.push(JSON.stringify(line)))
      for (const stored of ["", "hunter2", "$2b$12$R9h/cIPz0gi"]) {
        const isRight = yield* Effect.provide(Password.verify(secret("hunter2"), stored), Logger.layer([logger]))
        assert.isFalse(isRight)
      }
      assert.strictEqual(lines.length, 3)
      for (const line of lines) {
        assert.include(line, "A stored password hash cannot be read")
        assert.include(line, `"level":"WARN"`)
        assert.notMatch(line, /hunter2|R9h/)
      }
    }).pipe(by(cheap.scrypt))
  )
})
