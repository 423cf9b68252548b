/**
 * Tables of requests and what their answers have to be.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpMethod from "effect/http/HttpMethod"
import type * as Testing from "../../src/testing/Testing.ts"

/** "POST /path", the headers, a body; the status, the headers that are looked at, and the body as far as it is. */
export interface Ask {
  readonly ask: string
  readonly with?: Readonly<Record<string, string>>
  readonly sends?: readonly [contentType: string, body: string]
  readonly status: number
  readonly has?: Readonly<Record<string, string | undefined>>
  readonly says?: RegExp
}

/** Sends the requests one after the other. A body is read only where something is said of it. */
export const asks = (rows: ReadonlyArray<Ask>) => (client: Testing.Client) =>
  Effect.forEach(rows, (row) => one(client, row), { discard: true })

const one = Effect.fnUntraced(function* (client: Testing.Client, row: Ask) {
  const [method, path] = row.ask.split(" ") as [string, string]
  // The methods of the type are those that Effect names
  const plain = HttpClientRequest.make(method as HttpMethod.HttpMethod)(path, { headers: row.with ?? {} })
  const request = row.sends === undefined ? plain : HttpClientRequest.bodyText(plain, row.sends[1], row.sends[0])
  const response = yield* client.execute(request)
  const found = Object.fromEntries(Object.keys(row.has ?? {}).map((name) => [name, response.headers[name]]))
  const name = `${row.ask} ${JSON.stringify(row.with ?? {})}`
  assert.deepStrictEqual({ status: response.status, ...found }, { status: row.status, ...row.has }, name)
  if (row.says !== undefined) assert.match(yield* response.text, row.says, name)
})
