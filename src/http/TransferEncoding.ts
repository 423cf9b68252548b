/**
 * Undoes the Content-Transfer-Encoding of a part, chunk by chunk.
 *
 * ```ts
 * const decoder = TransferEncoding.decoder("base64")
 * decoder.write(encode("SGVsbG")) // the bytes of "Hel", what is not whole waits
 * decoder.write(encode("8=")) // the bytes of "lo"
 * decoder.isWhole() // true
 * ```
 *
 * @source aiohttp.BodyPartReader.decode
 * @spec RFC 2045 §6
 */

/** Decodes the chunks of one part. */
export interface Decoder {
  /** The bytes that are whole by now; undefined for what is malformed. */
  readonly write: (chunk: Uint8Array) => Uint8Array | undefined
  /** Whether the chunks may end here. */
  readonly isWhole: () => boolean
}

/** What needs no decoding. */
export const identity: Decoder = { write: (chunk) => chunk, isWhole: () => true }

/** The decoder of an encoding by its name in any case; undefined for one that is not known. */
export const decoder = (encoding: string): Decoder | undefined => {
  switch (encoding.toLowerCase()) {
    case "7bit":
    case "8bit":
    case "binary":
      return identity
    case "base64":
      return base64()
    case "quoted-printable":
      return quotedPrintable()
    default:
      return undefined
  }
}

const PAD = 64
const SKIP = 65
const BAD = 66

const digits = new Uint8Array(256).fill(BAD)
for (const [value, character] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="].entries()) {
  digits[character.charCodeAt(0)] = value
}
for (const space of " \t\r\n") digits[space.charCodeAt(0)] = SKIP

// Unlike RFC 2045 §6.8, which ignores what is no digit: it says that the bytes are not what was meant
const base64 = (): Decoder => {
  let [bits, count, pads] = [0, 0, 0]
  const write = (chunk: Uint8Array): Uint8Array | undefined => {
    const out = new Uint8Array(Math.ceil(((chunk.length + count) * 3) / 4))
    let size = 0
    for (const byte of chunk) {
      const digit = digits[byte] as number
      if (digit === SKIP) continue
      if (digit === BAD || (pads > 0 && digit !== PAD)) return undefined
      if (digit === PAD) {
        pads++
        continue
      }
      bits = (bits << 6) | digit
      if (++count === 1) continue
      // Of every four digits the first gives no byte, each of the others the eight bits that are whole
      out[size++] = bits >> (8 - 2 * count)
      bits &= 63
      if (count === 4) count = 0
    }
    return out.subarray(0, size)
  }
  return { write, isWhole: () => count !== 1 && pads <= 2 && (pads === 0 || count + pads === 4) }
}

const EQUALS = 0x3d
const CR = 0x0d
const LF = 0x0a

// White space at the end of a line stays: it is removed where mail relays add it, and HTTP has none
const quotedPrintable = (): Decoder => {
  // What of an escape has come: nothing, "=", "=" and CR, or "=" and the code of a digit
  let pending = 0
  const write = (chunk: Uint8Array): Uint8Array | undefined => {
    const out = new Uint8Array(chunk.length)
    let size = 0
    for (const byte of chunk) {
      if (pending === 0) {
        if (byte === EQUALS) pending = EQUALS
        else out[size++] = byte
      } else if (pending === EQUALS) {
        if (byte !== LF && byte !== CR && hex(byte) === -1) return undefined
        pending = byte === LF ? 0 : byte
      } else if (pending === CR) {
        if (byte !== LF) return undefined
        pending = 0
      } else {
        if (hex(byte) === -1) return undefined
        out[size++] = hex(pending) * 16 + hex(byte)
        pending = 0
      }
    }
    return out.subarray(0, size)
  }
  // The CR and LF behind a last "=" are those of the boundary
  return { write, isWhole: () => pending === 0 || pending === EQUALS }
}

const hex = (code: number): number => {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
