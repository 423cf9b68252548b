/**
 * Runs a table of raw bytes and wanted answers: on a real socket, over TLS, in memory, and in memory byte by byte.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as DrainReport from "../../src/server/internal/drain/DrainReport.ts"
import * as Server from "../../src/server/Server.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { selfSigned } from "../server/certificates.ts"
import * as Secure from "../server/secure.ts"
import { app } from "./app.ts"
import * as Wire from "./wire.ts"

/** What else is wanted of the answers of a row. */
export interface Facts {
  /** The body of the last answer: the whole text, or the detail of its problem. */
  readonly body?: string
  readonly detail?: string
  /** Headers of the last answer; undefined for those that may not be there. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** The methods of the requests where one of them is not read as GET. */
  readonly methods?: ReadonlyArray<string>
  /** The interim answers before it: none unless said; "any" where they depend on what came first. */
  readonly interim?: ReadonlyArray<number> | "any"
  /** The bytes have to come in one piece: why stands in the row. */
  readonly whole?: true
  /** What is logged above debug. */
  readonly logs?: ReadonlyArray<string>
}

/** What is sent, what comes back, and whether the connection goes on. */
export type Row = readonly [
  name: string,
  bytes: string | Uint8Array,
  wanted: string | ReadonlyArray<string>,
  after: "kept" | "closed",
  facts?: Facts
]

/** A logger that keeps what is above debug. */
export const recorder = () => {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (logLevel !== "Debug" && logLevel !== "Trace") lines.push(`${logLevel} ${[message].flat().join(" ")}`)
  })
  const layer = Layer.merge(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, "All"))
  return { lines, layer }
}

const probe = "GET /probe HTTP/1.1\r\nHost: a\r\n\r\n"

interface Way {
  readonly client: Effect.Effect<Parameters<typeof Wire.open>[0], never, Scope.Scope>
  /** So many bytes are sent at a time. */
  readonly piece: number
}

const pair = selfSigned("conformance")

/** The app over TLS, for raw connections. */
const secureClient = Effect.map(
  Effect.orDie(
    Server.start(app, {
      host: "127.0.0.1",
      port: 0,
      tls: { ...pair, reload: false },
      shutdownTimeout: 0,
      interruptGrace: "5 seconds"
    })
  ),
  (server) => ({ connect: Effect.orDie(Effect.map(Secure.connect(server), ({ tls }) => tls)) })
).pipe(Effect.provideService(DrainReport.Audience, "test"))

/** The ways to reach the app. */
export const ways: Readonly<Record<string, Way>> = {
  "on a socket": { client: Testing.socketClient(app).pipe(Effect.orDie), piece: Number.POSITIVE_INFINITY },
  "over TLS": { client: secureClient, piece: Number.POSITIVE_INFINITY },
  "in memory": { client: Testing.client(app), piece: Number.POSITIVE_INFINITY },
  "in memory, byte by byte": { client: Testing.client(app), piece: 1 }
}

/** Declares the tests of a section. */
export const table = (section: string, rows: ReadonlyArray<Row>): void => {
  describe(section, () => {
    for (const [way, { client, piece }] of Object.entries(ways)) {
      describe(way, () => {
        for (const row of rows) {
          if (piece === 1 && row[4]?.whole === true) continue
          it.effect(row[0], () => {
            const { layer, lines } = recorder()
            return Effect.gen(function* () {
              const wire = yield* Wire.open(yield* client)
              yield* check(wire, row, piece)
              assert.deepStrictEqual(lines, row[4]?.logs ?? [])
            }).pipe(Effect.scoped, Effect.provide(layer))
          })
        }
      })
    }
  })
}

const check = Effect.fnUntraced(function* (wire: Wire.Wire, [, bytes, wanted, after, facts = {}]: Row, piece: number) {
  yield* sendIn(wire, bytes, piece)
  const answers: Array<Wire.Answer> = []
  for (const [index] of [wanted].flat().entries()) {
    answers.push(yield* wire.answer(facts.methods?.[index] ?? facts.methods?.at(-1)))
  }
  assert.deepStrictEqual(
    answers.map(({ line }) => line),
    [wanted].flat()
  )
  answers.forEach(wellFormed)
  const last = answers.at(-1)
  if (last !== undefined) meets(last, facts)
  if (after === "closed") {
    assert.strictEqual(yield* wire.closed, "", "nothing comes after the last answer")
    if (last !== undefined) assert.match(last.headers.connection ?? "", /^(?:upgrade, )?close$/)
    return
  }
  yield* wire.send(probe)
  const next = yield* wire.answer()
  assert.deepStrictEqual([next.line, next.body.toString()], ["200 OK", "probe"])
  assert.strictEqual(wire.rest(), "")
})

/** Sends bytes in pieces of a size, each a chunk of its own for the receiver. */
export const sendIn = (wire: Wire.Wire, bytes: string | Uint8Array, piece: number): Effect.Effect<void> => {
  const all = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : Buffer.from(bytes)
  if (piece >= all.length) return wire.send(all)
  return Effect.forEach(
    Array.from({ length: Math.ceil(all.length / piece) }, (_, at) => all.subarray(at * piece, (at + 1) * piece)),
    (part) => wire.send(part),
    { discard: true }
  )
}

// What holds for every answer.
const wellFormed = ({ body, headers, status }: Wire.Answer): void => {
  assert.match(headers.date ?? "", /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/)
  assert.isUndefined(headers["keep-alive"])
  if (status < 400 || body.length === 0) return
  assert.strictEqual(headers["content-type"], "application/problem+json")
  assert.strictEqual(JSON.parse(body.toString()).status, status)
}

const meets = (answer: Wire.Answer, { body, detail, headers, interim = [] }: Facts): void => {
  if (body !== undefined) assert.strictEqual(answer.body.toString("latin1"), body)
  if (detail !== undefined) assert.strictEqual(JSON.parse(answer.body.toString()).detail, detail)
  for (const [name, value] of Object.entries(headers ?? {})) assert.strictEqual(answer.headers[name], value, name)
  if (interim !== "any") assert.deepStrictEqual(answer.interim, interim)
}
