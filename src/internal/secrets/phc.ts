/**
 * Hashes of passwords as text: the algorithm, its costs, the salt and the hash.
 *
 * ```ts
 * parse("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQxMjM0NTY$...") // { algorithm: { _tag: "Argon2id", ... }, salt, hash }
 * format({ algorithm, salt, hash })
 * ```
 *
 * What is read is within bounds: a text that asks for more memory or time than a hash ought to take is none.
 *
 * @spec https://github.com/P-H-C/phc-string-format; RFC 9106; RFC 7914
 */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"

/** Argon2id, version 19: memory in KiB, passes over it, and lanes. */
export interface Argon2id {
  readonly _tag: "Argon2id"
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}

/** scrypt: the cost N as the power of two that it is, the block size r, and the parallelism p. */
export interface Scrypt {
  readonly _tag: "Scrypt"
  readonly logCost: number
  readonly blockSize: number
  readonly parallelism: number
}

/** An algorithm with its costs. */
export type Algorithm = Argon2id | Scrypt

/** A hash that was stored. */
export interface Phc {
  readonly algorithm: Algorithm
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

/** The most that one hash may take: 256 MiB, and as much work as to fill 1 GiB once. */
export const MAX_KIB = 256 * 1024
const MAX_WORK_KIB = 1024 * 1024
const MAX_PARALLELISM = 16

/** What is wrong with the costs, if anything. */
export const problem = (algorithm: Algorithm): string | undefined => {
  const { parallelism } = algorithm
  if (!isIn(parallelism, 1, MAX_PARALLELISM)) return `parallelism is from 1 to ${MAX_PARALLELISM}`
  if (algorithm._tag === "Argon2id") {
    const { memory, passes } = algorithm
    if (!isIn(memory, 8 * parallelism, MAX_KIB)) return "memory is from 8 KiB for each lane to 256 MiB"
    return isIn(passes, 1, MAX_WORK_KIB / memory) ? undefined : "passes are from 1, and passes times memory up to 1 GiB"
  }
  const { blockSize, logCost } = algorithm
  if (!isIn(logCost, 1, 20) || !isIn(blockSize, 1, 32)) return "logCost is from 1 to 20, blockSize from 1 to 32"
  const kib = (2 ** logCost * blockSize) / 8
  if (kib > MAX_KIB) return "128 * 2^logCost * blockSize is up to 256 MiB"
  return kib * parallelism > MAX_WORK_KIB ? "the memory times parallelism is up to 1 GiB" : undefined
}

/** Reads a stored hash; undefined when it is none of these, or asks for too much. */
export const parse = (text: string): Phc | undefined => {
  if (text.length > 512) return undefined
  const found = PHC.exec(text)
  if (found === null) return undefined
  // One of the two is there, and each has three numbers
  const [, , argon2id, scrypt] = found
  const [saltText, hashText] = found.slice(4) as [string, string]
  const costs = (argon2id ?? (scrypt as string)).split(",").map((each) => Number(each.slice(each.indexOf("=") + 1)))
  const [a, b, c] = costs as [number, number, number]
  const algorithm: Algorithm =
    argon2id === undefined
      ? { _tag: "Scrypt", logCost: a, blockSize: b, parallelism: c }
      : { _tag: "Argon2id", memory: a, passes: b, parallelism: c }
  const [salt, hash] = [decode(saltText), decode(hashText)]
  const isRead = salt !== undefined && hash !== undefined && problem(algorithm) === undefined
  return isRead ? { algorithm, salt, hash } : undefined
}

/** Writes a hash for storing. */
export const format = ({ algorithm, hash, salt }: Phc): string => {
  const head =
    algorithm._tag === "Argon2id"
      ? `argon2id$v=19$m=${algorithm.memory},t=${algorithm.passes},p=${algorithm.parallelism}`
      : `scrypt$ln=${algorithm.logCost},r=${algorithm.blockSize},p=${algorithm.parallelism}`
  return `$${head}$${encode(salt)}$${encode(hash)}`
}

const NUMBER = "[1-9]\\d{0,6}"
// 8 to 64 bytes of salt, 16 to 64 of hash: one of no bytes would be that of any password
const PHC = new RegExp(
  `^\\$(argon2id\\$v=19\\$(m=${NUMBER},t=${NUMBER},p=${NUMBER})|scrypt\\$(ln=${NUMBER},r=${NUMBER},p=${NUMBER}))` +
    "\\$([A-Za-z0-9+/]{11,86})\\$([A-Za-z0-9+/]{22,86})$"
)

const isIn = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most

const encode = (bytes: Uint8Array): string => Base64.encode(bytes).replace(/=+$/, "")

const decode = (text: string): Uint8Array | undefined =>
  Result.getOrElse(Base64.decode(text.padEnd(Math.ceil(text.length / 4) * 4, "=")), () => undefined)
