/**
 * PHC strings: what is read, what is refused before it costs anything.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Phc from "../../../src/internal/secrets/phc.ts"

const salt = "c29tZXNhbHQ"
const hash = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

describe("a hash is read and written as it was", () => {
  const rows: ReadonlyArray<readonly [text: string, algorithm: Phc.Algorithm]> = [
    [`$argon2id$v=19$m=65536,t=2,p=1$${salt}$${hash}`, { _tag: "Argon2id", memory: 65536, passes: 2, parallelism: 1 }],
    [
      `$argon2id$v=19$m=262144,t=4,p=16$${salt}$${hash}`,
      { _tag: "Argon2id", memory: 262144, passes: 4, parallelism: 16 }
    ],
    [`$scrypt$ln=15,r=8,p=3$${salt}$${hash}`, { _tag: "Scrypt", logCost: 15, blockSize: 8, parallelism: 3 }],
    [`$scrypt$ln=18,r=8,p=4$${salt}$${hash}`, { _tag: "Scrypt", logCost: 18, blockSize: 8, parallelism: 4 }]
  ]
  for (const [text, algorithm] of rows) {
    it(text, () => {
      const phc = Phc.parse(text)
      assert.deepStrictEqual(phc?.algorithm, algorithm)
      assert.strictEqual(Buffer.from(phc?.salt as Uint8Array).toString(), "somesalt")
      assert.strictEqual(phc?.hash.length, 32)
      assert.strictEqual(Phc.format(phc as Phc.Phc), text)
    })
  }
})

describe("is no hash", () => {
  const rows: ReadonlyArray<readonly [name: string, text: string]> = [
    ["nothing", ""],
    ["a password", "hunter2"],
    ["bcrypt", "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"],
    ["Argon2i", `$argon2i$v=19$m=65536,t=2,p=1$${salt}$${hash}`],
    ["an earlier version of Argon2id", `$argon2id$v=16$m=65536,t=2,p=1$${salt}$${hash}`],
    ["no version", `$argon2id$m=65536,t=2,p=1$${salt}$${hash}`],
    ["parameters in another order", `$argon2id$v=19$t=2,m=65536,p=1$${salt}$${hash}`],
    ["a zero", `$argon2id$v=19$m=65536,t=0,p=1$${salt}$${hash}`],
    ["a number that begins with zero", `$argon2id$v=19$m=65536,t=02,p=1$${salt}$${hash}`],
    ["more than 256 MiB", `$argon2id$v=19$m=262145,t=1,p=1$${salt}$${hash}`],
    ["4 TiB", `$argon2id$v=19$m=4294967295,t=1,p=1$${salt}$${hash}`],
    ["more work than to fill 1 GiB", `$argon2id$v=19$m=262144,t=5,p=1$${salt}$${hash}`],
    ["a million passes", `$argon2id$v=19$m=8,t=1000000,p=1$${salt}$${hash}`],
    ["too little memory for its lanes", `$argon2id$v=19$m=127,t=1,p=16$${salt}$${hash}`],
    ["more than 16 lanes", `$argon2id$v=19$m=65536,t=1,p=17$${salt}$${hash}`],
    ["scrypt of more than 256 MiB", `$scrypt$ln=19,r=8,p=1$${salt}$${hash}`],
    ["scrypt of 2^99", `$scrypt$ln=99,r=8,p=1$${salt}$${hash}`],
    ["scrypt of wide blocks", `$scrypt$ln=1,r=33,p=1$${salt}$${hash}`],
    ["scrypt of more work than to fill 1 GiB", `$scrypt$ln=18,r=8,p=5$${salt}$${hash}`],
    ["a short salt", `$scrypt$ln=15,r=8,p=3$c29tZQ$${hash}`],
    ["a hash of no bytes", `$scrypt$ln=15,r=8,p=3$${salt}$`],
    ["a hash of 15 bytes", `$scrypt$ln=15,r=8,p=3$${salt}$${"A".repeat(20)}`],
    ["a hash of 65 bytes", `$scrypt$ln=15,r=8,p=3$${salt}$${"A".repeat(87)}`],
    ["padding", `$scrypt$ln=15,r=8,p=3$${salt}=$${hash}=`],
    ["base64url", `$scrypt$ln=15,r=8,p=3$${salt}$${"-".repeat(43)}`],
    ["base64 of an odd length", `$scrypt$ln=15,r=8,p=3$${salt}$${"A".repeat(45)}`],
    ["a salt of an odd length", `$scrypt$ln=15,r=8,p=3$${"A".repeat(13)}$${hash}`],
    ["something in front", ` $scrypt$ln=15,r=8,p=3$${salt}$${hash}`],
    ["a line behind", `$scrypt$ln=15,r=8,p=3$${salt}$${hash}\n`],
    ["a megabyte", "$argon2id$".repeat(100_000)]
  ]
  for (const [name, text] of rows) it(name, () => assert.isUndefined(Phc.parse(text)))
})
