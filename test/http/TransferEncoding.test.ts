/**
 * Transfer encodings, chunk by chunk, wherever the chunks are cut.
 */
import { assert, describe, it } from "@effect/vitest"
import * as TransferEncoding from "../../src/http/TransferEncoding.ts"

/** What comes out of chunks of a size; undefined for what is malformed. */
const decoded = (encoding: string, text: string, size: number): string | undefined => {
  const decoder = TransferEncoding.decoder(encoding)
  if (decoder === undefined) return undefined
  const bytes = Buffer.from(text, "latin1")
  const pieces: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length; at += size) {
    const piece = decoder.write(bytes.subarray(at, at + size))
    if (piece === undefined) return undefined
    pieces.push(piece)
  }
  return decoder.isWhole() ? Buffer.concat(pieces).toString("latin1") : undefined
}

const binary = Buffer.from(Array.from({ length: 1000 }, (_, index) => (index * 7) % 256))

const rows: ReadonlyArray<readonly [name: string, encoding: string, text: string, wanted: string | undefined]> = [
  ["binary, as it is", "binary", "a=3D\r\n\xff", "a=3D\r\n\xff"],
  ["7bit, as it is", "7bit", "YQ==", "YQ=="],
  ["8bit, as it is", "8BIT", "\xff", "\xff"],
  ["base64", "base64", "SGVsbG8=", "Hello"],
  ["base64 in any case", "Base64", "SGVsbG8h", "Hello!"],
  ["base64 in lines", "base64", "SGVs\r\nbG8 \t=\r\n", "Hello"],
  ["base64 without its padding", "base64", "SGVsbA", "Hell"],
  ["base64 of nothing", "base64", "\r\n", ""],
  ["base64 of every byte", "base64", binary.toString("base64").replace(/.{76}/g, "$&\r\n"), binary.toString("latin1")],
  ["no base64 with a character of no digit", "base64", "SGVs*G8=", undefined],
  ["no base64 with a digit behind its padding", "base64", "SGVsbA==SGVs", undefined],
  ["no base64 with too little padding", "base64", "SGVsbA=", undefined],
  ["no base64 with too much padding", "base64", "SGVsbG8==", undefined],
  ["no base64 with padding of nothing", "base64", "=", undefined],
  ["no base64 with a single digit", "base64", "SGVsb", undefined],
  ["quoted-printable", "quoted-printable", "a=3Db =E2=82=ac=\r\nc=\nd", "a=b \xe2\x82\xaccd"],
  ["quoted-printable with a soft break at the end", "Quoted-Printable", "a=", "a"],
  ["quoted-printable in lines", "quoted-printable", "a\r\nb", "a\r\nb"],
  ["no quoted-printable with other digits", "quoted-printable", "a=3G", undefined],
  ["no quoted-printable with an escape cut off", "quoted-printable", "a=3", undefined],
  ["no quoted-printable with a bare CR", "quoted-printable", "a=\rb", undefined],
  ["nothing of an unknown one", "x-uuencode", "a", undefined]
]

for (const size of [1, 2, 3, 5, 10_000]) {
  describe(`in chunks of ${size}`, () => {
    for (const [name, encoding, text, wanted] of rows) {
      it(name, () => assert.strictEqual(decoded(encoding, text, size), wanted))
    }
  })
}
