/** What is asked of every server, and what it must answer before its speed counts. */
import * as Scratch from "./Scratch.ts"

/** What a row is about. Each subject has its own server programs, in the folder of its name in `servers/`. */
export type Subject = "answers" | "stack" | "files" | "upload" | "proxy" | "sockets" | "idle" | "logs"

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
  /** Where a browser would log in first: its cookies are sent, and the origin of a page. */
  readonly login?: string
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

/** WebSockets that a client of the bench holds. */
export interface Socket extends Common {
  readonly kind: "socket"
  readonly method: "GET"
  /**
   * "echo": one message on the way on each connection. "broadcast": what the first says goes to all. "idle": nothing is
   * said until the end, over more than one heartbeat.
   */
  readonly load: "echo" | "broadcast" | "idle"
  /** How many messages of a broadcast are said at once; 1. */
  readonly burst?: number
  readonly connections: number
  /** What is sent, and comes back as it is. */
  readonly message: string
  /** A message that a server which validates closes for. */
  readonly refused?: string | undefined
  readonly once?: true
}

export type Row = Request | Upload | Socket

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
const said = JSON.stringify({ text: "The sea was calm, and we went on.", n: 1 })
const refused = JSON.stringify({ text: "The sea was calm, and we went on.", n: "one" })
const socket = { kind: "socket", subject: "sockets", method: "GET", message: said, refused } as const
// What changes often and goes to all: a table of some 2 KiB.
const prices = Array.from({ length: 24 }, (_, at) => ({
  symbol: `STOCK-${100 + at}`,
  bid: 100 + at + 0.25,
  ask: 100 + at + 0.75,
  at: `2026-11-26T12:00:${String(at).padStart(2, "0")}.000Z`
}))
const table = { ...socket, message: JSON.stringify({ text: "prices", n: 1, prices }) } as const
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
  { ...get("stack", "stack", "/json", { message: "Hello, Ada!" }), login: "/login" },
  get("logs", "logs", "/text", "Hello, World!"),
  file("file-1k", "1k.txt"),
  file("file-1m", "1m.txt"),
  { ...file("304", "1k.txt"), conditional: true },
  get("proxy", "proxy", "/text", "Hello, World!"),
  { ...upload, name: "upload", mebibytes: 100 },
  { ...upload, name: "upload-2g", mebibytes: 2048, once: true },
  { ...socket, name: "ws-echo", path: "/echo", load: "echo", connections: 64 },
  { ...socket, name: "ws-raw", path: "/raw", load: "echo", connections: 64, refused: undefined },
  { ...socket, name: "ws-broadcast", path: "/room", load: "broadcast", connections: 1000 },
  { ...table, name: "ws-prices", path: "/room", load: "broadcast", connections: 1000 },
  { ...socket, name: "ws-burst", path: "/room", load: "broadcast", connections: 1000, burst: 8 },
  { ...socket, name: "ws-idle", subject: "idle", path: "/echo", load: "idle", connections: 10_000, once: true }
]

/** The row as the head of its table. */
export const title = (row: Row): string => {
  if (row.kind === "socket") return `${row.name}: ${row.path}, ${row.connections} WebSockets`
  const detail = row.kind === "upload" ? `, ${row.mebibytes} MiB` : row.conditional ? " with If-None-Match" : ""
  return `${row.name}: ${row.method} ${row.path}${detail}`
}

/** What a row counts. */
export const unit = (row: Row): string =>
  row.kind === "socket" ? { echo: "message", broadcast: "delivery", idle: "connection" }[row.load] : "request"
