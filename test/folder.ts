/**
 * A folder of files for tests, removed when those of the test file have ended, and what a client gets of them.
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterAll } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpMethod from "effect/http/HttpMethod"
import type * as Testing from "../src/testing/Testing.ts"

/** A folder. */
export interface Folder {
  readonly path: string
  /** The path of a name in it. */
  readonly at: (name: string) => string
  /** Writes a file and the folders on its way; `modified` in seconds since 1970. */
  readonly write: (name: string, content: string | Uint8Array, modified?: number) => void
  readonly remove: (name: string) => void
}

const made: Array<string> = []

// Workers of tests are killed: they see no exit.
afterAll(() => {
  for (const path of made) Fs.rmSync(path, { recursive: true, force: true })
})

/** Makes a folder of these files. */
export const make = (files: Readonly<Record<string, string | Uint8Array>> = {}): Folder => {
  const path = Fs.mkdtempSync(Path.join(Fs.realpathSync(Os.tmpdir()), "effect-web-files-"))
  made.push(path)
  const at = (name: string) => Path.join(path, name)
  const folder: Folder = {
    path,
    at,
    write: (name, content, modified) => {
      Fs.mkdirSync(Path.dirname(at(name)), { recursive: true })
      Fs.writeFileSync(at(name), content)
      if (modified !== undefined) Fs.utimesSync(at(name), modified, modified)
    },
    remove: (name) => Fs.rmSync(at(name), { recursive: true })
  }
  for (const [name, content] of Object.entries(files)) folder.write(name, content)
  return folder
}

/** Waits until the last change can be told from the next: the clock of file systems ticks slowly, and no test sets it. */
export const settled: Effect.Effect<void> = Effect.callback((resume) => {
  setTimeout(() => resume(Effect.void), 70)
})

/** Bytes that differ from each other. */
export const bytes = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8) * 7) & 255))

/** What came back. */
export interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

/** Sends a request. */
export const ask = Effect.fnUntraced(function* (
  client: Testing.Client,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET"
) {
  // The methods of the type are those that Effect names.
  const request = HttpClientRequest.make(method as HttpMethod.HttpMethod)(path, { headers })
  const response = yield* client.execute(request)
  return { status: response.status, headers: response.headers, body: Buffer.from(yield* response.arrayBuffer) }
})

/** The status, and what else is asked for of the headers. */
export const facts = (got: Got, ...names: ReadonlyArray<string>): ReadonlyArray<unknown> => [
  got.status,
  ...names.map((name) => got.headers[name])
]
