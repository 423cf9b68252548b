/**
 * A raw connection in the hands of a test: bytes out, answers in, each read strictly by RFC 9112 §6.3.
 */
import type { Duplex } from "node:stream"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** A final answer, with the interim ones before it. */
export interface Answer {
  /** Status and reason phrase: "404 Not Found". */
  readonly line: string
  readonly status: number
  /** Names in lower case; the lines of one name joined by ", ". */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly framing: "none" | "length" | "chunked" | "close"
  /** The statuses of the interim answers before it. */
  readonly interim: ReadonlyArray<number>
}

/** A connection. Waiting fails as a defect after five seconds, showing what came. */
export interface Wire {
  readonly socket: Duplex
  readonly send: (bytes: string | Uint8Array) => Effect.Effect<void>
  /** The next final answer, to a request of the method. */
  readonly answer: (method?: string) => Effect.Effect<Answer>
  /** Waits for the text, and takes all that came up to its end. */
  readonly until: (text: string) => Effect.Effect<string>
  /** Waits for the end of the connection: what came before it and was not taken. */
  readonly closed: Effect.Effect<string>
  /** True when our side saw the end or an error. */
  readonly isOver: () => boolean
  /** True when the connection was reset. */
  readonly isReset: () => boolean
  /** What came and was not taken. */
  readonly rest: () => string
}

const deadline = 5000

/** Takes a connection in hand. */
export const over = (socket: Duplex): Wire => {
  let received: Buffer = Buffer.alloc(0)
  let isOver = false
  let waiting: Array<() => void> = []
  const wake = () => {
    const all = waiting
    waiting = []
    for (const f of all) f()
  }
  const end = () => {
    isOver = true
    wake()
  }
  socket.on("data", (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    wake()
  })
  let isReset = false
  for (const event of ["end", "close"]) socket.on(event, end)
  socket.on("error", (error: NodeJS.ErrnoException) => {
    isReset = error.code === "ECONNRESET"
    end()
  })

  const take = (length: number): Buffer => {
    const taken = received.subarray(0, length)
    received = received.subarray(length)
    return taken
  }

  // Tries `attempt` whenever something has come, until it gives a value.
  const wait = <A>(what: string, attempt: () => A | undefined): Effect.Effect<A> =>
    Effect.callback((resume) => {
      const timer = setTimeout(() => {
        resume(Effect.die(new Error(`No ${what}: ${isOver ? "over" : "open"}, got ${JSON.stringify(shown(received))}`)))
      }, deadline)
      const tried = (): A | undefined => {
        try {
          return attempt()
        } catch (defect) {
          clearTimeout(timer)
          resume(Effect.die(defect))
          return undefined
        }
      }
      const step = () => {
        const value = tried()
        if (value === undefined && isOver && what !== "end") {
          clearTimeout(timer)
          resume(Effect.die(new Error(`The connection ended before ${what}: ${JSON.stringify(shown(received))}`)))
        } else if (value === undefined) waiting.push(step)
        else {
          clearTimeout(timer)
          resume(Effect.succeed(value))
        }
      }
      step()
      return Effect.sync(() => clearTimeout(timer))
    })

  const answer = (method: string): Effect.Effect<Answer> => {
    const interim: Array<number> = []
    return wait("answer", () => {
      for (;;) {
        const parsed = parse(received, method, isOver)
        if (parsed === undefined) return undefined
        take(parsed.length)
        if (parsed.answer.status >= 200) return { ...parsed.answer, interim }
        interim.push(parsed.answer.status)
      }
    })
  }

  return {
    socket,
    send: (bytes) =>
      Effect.sync(() => {
        if (!socket.destroyed && socket.writable) socket.write(typeof bytes === "string" ? latin1(bytes) : bytes)
      }),
    answer: (method = "GET") => answer(method),
    until: (text) =>
      wait(JSON.stringify(text), () => {
        const at = received.indexOf(text, 0, "latin1")
        return at === -1 ? undefined : take(at + text.length).toString("latin1")
      }),
    closed: wait("end", () => (isOver ? take(received.length).toString("latin1") : undefined)),
    isOver: () => isOver,
    isReset: () => isReset,
    rest: () => received.toString("latin1")
  }
}

/** A wire over a client's raw connection. */
export const open = (client: {
  readonly connect: Effect.Effect<Duplex, never, Scope.Scope>
}): Effect.Effect<Wire, never, Scope.Scope> => Effect.map(client.connect, over)

/** Everything that comes until the connection ends. */
export const readAll = (socket: Duplex): Effect.Effect<Buffer> =>
  Effect.callback((resume) => {
    const chunks: Array<Buffer> = []
    socket.on("data", (chunk: Buffer) => chunks.push(chunk))
    socket.on("end", () => resume(Effect.succeed(Buffer.concat(chunks))))
    socket.on("error", (error) => resume(Effect.die(error)))
  })

/** The only answer in the bytes. */
export const answerIn = (bytes: Buffer): Omit<Answer, "interim"> => {
  const parsed = parse(bytes, "GET", true)
  return parsed?.length === bytes.length ? parsed.answer : malformed(bytes, "more or less than one")
}

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1")

const shown = (bytes: Buffer): string => bytes.subarray(0, 500).toString("latin1")

const malformed = (bytes: Buffer, why: string): never => {
  throw new Error(`Not an HTTP/1.1 answer (${why}): ${JSON.stringify(shown(bytes))}`)
}

interface Parsed {
  readonly answer: Omit<Answer, "interim">
  readonly length: number
}

// One answer at the start of the bytes; undefined while there is more to come.
const parse = (bytes: Buffer, method: string, isOver: boolean): Parsed | undefined => {
  const end = bytes.indexOf("\r\n\r\n")
  if (end === -1) return undefined
  const [first, ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n") as [string, ...Array<string>]
  const match = /^HTTP\/1\.1 ((\d{3}) [\t\x20-\x7e\x80-\xff]*)$/.exec(first)
  if (match === null) return malformed(bytes, "status line")
  const [, line, digits] = match as unknown as [string, string, string]
  const headers: Record<string, string> = Object.create(null)
  for (const field of lines) {
    const parts = /^([!#$%&'*+\-.^_`|~\w]+): ?([\t\x20-\x7e\x80-\xff]*)$/.exec(field)
    if (parts === null) return malformed(bytes, `field ${JSON.stringify(field)}`)
    const name = (parts[1] as string).toLowerCase()
    headers[name] = name in headers ? `${headers[name]}, ${parts[2]}` : (parts[2] as string)
  }
  const status = Number(digits)
  const start = end + 4
  const answer = (framing: Answer["framing"], body: Buffer, length: number): Parsed => ({
    answer: { line, status, headers, body, framing },
    length
  })
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) {
    return answer("none", Buffer.alloc(0), start)
  }
  if (headers["transfer-encoding"] !== undefined) {
    if (headers["transfer-encoding"] !== "chunked") return malformed(bytes, "transfer-encoding")
    if (headers["content-length"] !== undefined) return malformed(bytes, "two framings")
    return chunked(bytes, start, (body, length) => answer("chunked", body, length))
  }
  const stated = headers["content-length"]
  if (stated !== undefined) {
    if (!/^\d+$/.test(stated)) return malformed(bytes, "content-length")
    const stop = start + Number(stated)
    return bytes.length < stop ? undefined : answer("length", bytes.subarray(start, stop), stop)
  }
  return isOver ? answer("close", bytes.subarray(start), bytes.length) : undefined
}

const chunked = (bytes: Buffer, start: number, done: (body: Buffer, length: number) => Parsed): Parsed | undefined => {
  const chunks: Array<Buffer> = []
  let at = start
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at)
    if (lineEnd === -1) return undefined
    const size = bytes.subarray(at, lineEnd).toString("latin1")
    if (!/^[0-9a-f]+$/i.test(size)) return malformed(bytes, "chunk size")
    const from = lineEnd + 2
    const to = from + Number.parseInt(size, 16)
    if (bytes.length < to + 2) return undefined
    if (bytes[to] !== 13 || bytes[to + 1] !== 10) return malformed(bytes, "chunk end")
    if (to === from) return done(Buffer.concat(chunks), to + 2)
    chunks.push(bytes.subarray(from, to))
    at = to + 2
  }
}
