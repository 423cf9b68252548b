/** What is asked of every server, and what it must answer before its speed counts. */
import { isDeepStrictEqual } from "node:util"

export interface Row {
  readonly name: string
  readonly method: "GET" | "POST"
  readonly path: string
  /** The JSON body to send. */
  readonly body?: string
  readonly mediaType: string
  /** A string is the exact body, anything else the parsed JSON body. */
  readonly answer: unknown
  /** A body that a server which validates answers with a 4xx. */
  readonly refused?: string
}

const person = { name: "Ada Lovelace", age: 36, tags: ["mathematics", "engines", "poetry"] }

export const all: ReadonlyArray<Row> = [
  { name: "text", method: "GET", path: "/text", mediaType: "text/plain", answer: "Hello, World!" },
  { name: "json", method: "GET", path: "/json", mediaType: "application/json", answer: { message: "Hello, World!" } },
  { name: "user", method: "GET", path: "/users/42", mediaType: "text/plain", answer: "user 42" },
  {
    name: "echo",
    method: "POST",
    path: "/echo",
    body: JSON.stringify(person),
    mediaType: "application/json",
    answer: person,
    refused: JSON.stringify({ name: "Ada Lovelace", age: "old", tags: [] })
  }
]

/** The first thing wrong with a server's answers to a row, if any. */
export const verify = async (url: string, row: Row): Promise<string | undefined> => {
  const response = await ask(url, row, row.body)
  const text = await response.text()
  if (response.status !== 200) return `status ${response.status}, wanted 200`
  const mediaType = response.headers.get("content-type") ?? "none"
  if (!mediaType.startsWith(row.mediaType)) return `content-type ${mediaType}, wanted ${row.mediaType}`
  const same = typeof row.answer === "string" ? text === row.answer : isDeepStrictEqual(parsed(text), row.answer)
  if (!same) return `body ${JSON.stringify(text.slice(0, 80))}`
  if (row.refused === undefined) return undefined
  const { status, body } = await ask(url, row, row.refused)
  await body?.cancel()
  return status >= 400 && status < 500 ? undefined : `status ${status} for an invalid body, wanted 4xx`
}

const ask = (url: string, row: Row, body: string | undefined): Promise<Response> =>
  fetch(url + row.path, {
    method: row.method,
    signal: AbortSignal.timeout(5000),
    ...(body === undefined ? {} : { body, headers: { "content-type": "application/json" } })
  })

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
