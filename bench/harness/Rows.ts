/** What is asked of every server, and what it must answer before its speed counts. */
import * as Scratch from "./Scratch.ts"

/** What a row is about. Each subject has its own server programs, in the folder of its name in `servers/`. */
export type Subject = "answers" | "files" | "upload" | "proxy"

interface Common {
  readonly name: string
  readonly subject: Subject
  readonly path: string
}

/** A request that wrk repeats on many connections. */
export interface Request extends Common {
  readonly kind: "request"
  readonly method: "GET" | "POST"
  /** The JSON body to send. */
  readonly body?: string
  readonly mediaType: string
  /** A string is the exact body, anything else the parsed JSON body. */
  readonly answer: unknown
  /** A body that a server which validates answers with a 4xx. */
  readonly refused?: string
  /** The file that is asked for: when it changes, so must the next answer. */
  readonly file?: string
  /** Sends If-None-Match with the server's own ETag: the answer is then a 304 without a body. */
  readonly conditional?: true
}

/** A form of one field and one file, sent one after the other on one connection; the server saves the file to disk. */
export interface Upload extends Common {
  readonly kind: "upload"
  readonly method: "POST"
  readonly mebibytes: number
  /** One round of one upload, however many rounds and seconds are asked for: it takes long enough. */
  readonly once?: true
}

export type Row = Request | Upload

const get = (subject: Subject, name: string, path: string, answer: unknown): Request => ({
  kind: "request",
  name,
  subject,
  method: "GET",
  path,
  mediaType: typeof answer === "string" ? "text/plain" : "application/json",
  answer
})

const file = (name: string, file: string): Request => ({ ...get("files", name, `/${file}`, Scratch.files[file]), file })

const upload = { kind: "upload", subject: "upload", method: "POST", path: "/upload" } as const
const person = { name: "Ada Lovelace", age: 36, tags: ["mathematics", "engines", "poetry"] }

export const all: ReadonlyArray<Row> = [
  get("answers", "text", "/text", "Hello, World!"),
  get("answers", "json", "/json", { message: "Hello, World!" }),
  get("answers", "user", "/users/42", "user 42"),
  {
    kind: "request",
    name: "echo",
    subject: "answers",
    method: "POST",
    path: "/echo",
    body: JSON.stringify(person),
    mediaType: "application/json",
    answer: person,
    refused: JSON.stringify({ name: "Ada Lovelace", age: "old", tags: [] })
  },
  file("file-1k", "1k.txt"),
  file("file-1m", "1m.txt"),
  { ...file("304", "1k.txt"), conditional: true },
  get("proxy", "proxy", "/text", "Hello, World!"),
  { ...upload, name: "upload", mebibytes: 100 },
  { ...upload, name: "upload-2g", mebibytes: 2048, once: true }
]

/** The row as the head of its table. */
export const title = (row: Row): string => {
  const detail = row.kind === "upload" ? `, ${row.mebibytes} MiB` : row.conditional ? " with If-None-Match" : ""
  return `${row.name}: ${row.method} ${row.path}${detail}`
}
