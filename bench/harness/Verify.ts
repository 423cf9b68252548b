/** Asks a server what a row asks, once, and checks the answer. */
import * as Http from "node:http"
import { isDeepStrictEqual } from "node:util"
import { origin } from "../servers/stack/site.ts"
import type { Request } from "./Rows.ts"
import * as Scratch from "./Scratch.ts"

/** What the load generator sends, and what it may expect of each answer. */
export interface Verified {
  readonly headers: Readonly<Record<string, string>>
  /** The length of the answer's body in bytes. */
  readonly bodyBytes: number
}

/** Fails with the first thing that is wrong with a server's answers to a row. */
export const verify = async (url: string, row: Request): Promise<Verified> => {
  const type = row.body === undefined ? {} : { "content-type": "application/json" }
  const headers = row.login === undefined ? type : { ...type, ...(await login(url, row, row.login)) }
  const answer = await ask(url, row, headers, row.body)
  if (answer.status !== 200) throw new Error(`status ${answer.status}, wanted 200`)
  const mediaType = answer.headers["content-type"] ?? "none"
  if (!mediaType.startsWith(row.mediaType)) throw new Error(`content-type ${mediaType}, wanted ${row.mediaType}`)
  const { text } = answer
  const same = typeof row.answer === "string" ? text === row.answer : isDeepStrictEqual(parsed(text), row.answer)
  if (!same) throw new Error(`body ${JSON.stringify(text.slice(0, 80))}`)
  if (row.refused !== undefined) {
    const { status } = await ask(url, row, headers, row.refused)
    if (status < 400 || status >= 500) throw new Error(`status ${status} for an invalid body, wanted 4xx`)
  }
  return row.conditional
    ? verifyConditional(url, row, answer.headers.etag)
    : { headers, bodyBytes: Buffer.byteLength(text) }
}

/** What a browser on a page of another origin sends when it has logged in. */
const login = async (url: string, row: Request, path: string): Promise<Readonly<Record<string, string>>> => {
  const { headers } = await ask(url, { ...row, path }, {})
  const cookies = (headers["set-cookie"] ?? []).map((cookie) => cookie.split(";")[0])
  return { origin, cookie: cookies.join("; ") }
}

const verifyConditional = async (url: string, row: Request, etag: string | undefined): Promise<Verified> => {
  if (etag === undefined) throw new Error("no ETag to ask with")
  const headers = { "if-none-match": etag }
  const same = await ask(url, row, headers)
  if (same.status !== 304 || same.text !== "") throw new Error(`status ${same.status} to its own ETag, wanted 304`)
  const other = await ask(url, row, { "if-none-match": '"another"' })
  if (other.status !== 200) throw new Error(`status ${other.status} to another ETag, wanted 200`)
  return { headers, bodyBytes: 0 }
}

/** A file that changes is served changed by the next answer, at its old ETag too; and as it was when it is as it was. */
export const verifyChange = async (
  url: string,
  row: Request,
  file: string,
  scratch: Scratch.Scratch
): Promise<void> => {
  const before = await ask(url, row, {})
  const headers = before.headers.etag === undefined ? {} : { "if-none-match": before.headers.etag }
  await Scratch.whileChanged(scratch, file, async (content) => {
    const changed = await ask(url, row, headers)
    if (changed.text !== content) throw new Error(`status ${changed.status} and the old content of a file that changed`)
  })
  if ((await ask(url, row, {})).text !== before.text) throw new Error("not the content of a file that changed back")
}

interface Answer {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly text: string
}

/** By node:http: fetch adds `Cache-Control: no-cache` to a request with a condition, and a server may then not answer 304. */
const ask = (url: string, row: Request, headers: Http.OutgoingHttpHeaders, body?: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const options = { method: row.method, headers, signal: AbortSignal.timeout(5000) }
    const request = Http.request(url + row.path, options, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part
      })
      response.once("error", reject)
      response.once("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    request.once("error", reject)
    request.end(body)
  })

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
