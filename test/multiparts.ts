/**
 * Multipart bodies for tests, and what a reader makes of them.
 */
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as Scope from "effect/Scope"
import type * as HttpError from "../src/HttpError.ts"
import * as Multipart from "../src/Multipart.ts"
import { request, type Sent, sent } from "./bodies.ts"

/** The content type of forms whose boundary is "b". */
export const type = "multipart/form-data; boundary=b"

/** A part: its headers, its content. */
export type Part = readonly [head: string, content: string]

/** A field of a form. */
export const field = (name: string, content: string, more = ""): Part => [
  `Content-Disposition: form-data; name="${name}"${more}`,
  content
]

/** A file of a form. */
export const file = (name: string, filename: string, content: string, more = ""): Part =>
  field(name, content, `; filename="${filename}"${more}`)

/** The body of parts, as text. */
export const body = (parts: ReadonlyArray<Part>, boundary = "b"): string =>
  `${parts.map(([head, content]) => `--${boundary}\r\n${head && `${head}\r\n`}\r\n${content}\r\n`).join("")}--${boundary}--\r\n`

/** Bytes of a text whose characters are bytes. */
export const latin1 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, "latin1"))

/** A form to send. */
export const form = (...parts: ReadonlyArray<Part>): Sent => [type, body(parts)]

/** A body that comes in chunks. */
export const streamed = (contentType: string, chunks: Iterable<Uint8Array | string>): Sent => {
  const iterator = chunks[Symbol.iterator]()
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const next = iterator.next()
      if (next.done === true) controller.close()
      else controller.enqueue(typeof next.value === "string" ? Buffer.from(next.value) : next.value)
    }
  })
  return [contentType, stream]
}

type Needs = HttpServerRequest.HttpServerRequest | Scope.Scope

/** Runs an effect for a body, in a scope of its own. */
export const run = <A, E>(effect: Effect.Effect<A, E, Needs>, from: Sent) => sent(Effect.scoped(effect), from)

/** What an effect fails with, as status and text. */
export const failure = <E extends HttpError.HttpError>(effect: Effect.Effect<unknown, E, Needs>, from: Sent) =>
  Effect.map(Effect.flip(run(effect, from)), (error) => [error.status, error.text] as const)

/** All parts, as texts by their names, each read before the next. */
export const texts = (options?: Multipart.Options) =>
  Effect.gen(function* () {
    const parts = yield* options === undefined ? Multipart.reader : Multipart.readerWith(options)
    const found: Array<readonly [string, string]> = []
    for (let part = yield* parts.next; part !== undefined; part = yield* parts.next) {
      found.push([part.name, yield* part.text])
    }
    return found
  })

export { request }
