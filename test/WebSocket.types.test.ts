/**
 * What an editor shows of a WebSocket, and what the compiler says of the usual mistakes: each program has one.
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Diagnostic, diagnostics, hovers } from "./compiler.ts"
import * as Sources from "./sources.ts"

const domain = `
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { HttpError, Room, Route, WebSocket } from "effect-web"
const Say = Schema.Struct({ text: Schema.String })
const id = Schema.Struct({ id: Schema.Int })
const contract = { receive: Say, send: Say }
`

const wrong = "is not assignable to type '\"What is wrong is this schema, another option, or the handler\"'."
const closing = "Property 'closeCode' is missing in type 'NotFound' but required in type 'Closing'."
const say = "'{ readonly text: string; }'"

/** The mistake, the program, and what the compiler's last line ends with. */
const rows = [
  ["a failure without a close code", "WebSocket.make(contract, () => new HttpError.NotFound())", closing],
  [
    "a failure without a close code in a generator",
    "WebSocket.make(contract, Effect.fnUntraced(function* () { return yield* new HttpError.NotFound() }))",
    closing
  ],
  [
    "a failure without a close code, raw",
    'WebSocket.raw({}, () => Effect.fail("no"))',
    "Type 'string' is not assignable to type 'Closing'."
  ],
  ["a failure without a close code beside parameters", "WebSocket.raw({ params: id }, () => Effect.fail(1))", wrong],
  ["parameters that are no object", "WebSocket.raw({ params: Schema.String }, () => Effect.void)", "type 'object'."],
  [
    "a handler that is a Promise",
    "WebSocket.raw({}, async () => {})",
    "from type 'Effect<unknown, never, never>': toJSON, [NodeInspectSymbol], [TypeId], [Symbol.iterator], pipe"
  ],
  [
    "a handler that returns nothing",
    'WebSocket.raw({}, (socket) => { socket.send("a") })',
    "Type 'void' is not assignable to type 'Effect<unknown, never, never>'."
  ],
  ["a typo in an option", 'WebSocket.raw({ heartbeats: "1 second" }, () => Effect.void)', "mean to write 'heartbeat'?"],
  [
    "an unknown policy",
    'WebSocket.raw({ slow: "drop" }, () => Effect.void)',
    `'"disconnect" | "dropOldest" | "suspend" | { readonly conflate: (message: Data) => string | number | undefined; }'.`
  ],
  [
    "a key that its messages do not have",
    "WebSocket.make({ slow: { conflate: ({ id }) => id }, ...contract }, () => Effect.void)",
    `Property 'id' does not exist on type ${say}.`
  ],
  [
    "no schema of what is sent",
    "WebSocket.make({ receive: Say }, () => Effect.void)",
    "type 'Typed<{ readonly text: string; }, unknown>'."
  ],
  ["a wrong message", "WebSocket.make(contract, (socket) => socket.send({ txt: 1 }))", "Did you mean to write 'text'?"],
  ["an object that is sent raw", "WebSocket.raw({}, (socket) => socket.send(1))", "parameter of type 'Data'."],
  [
    "a wrong message to a room",
    'WebSocket.make(contract, (socket) => Effect.flatMap(Room.join("a", socket), (room) => room.broadcast({ txt: 1 })))',
    "Did you mean to write 'text'?"
  ],
  [
    "a path without its parameter",
    'Route.websocket("/{ID}", WebSocket.raw({ params: id }, () => Effect.void))',
    "Property 'id' is missing in type '{ readonly ID: string; }' but required in type '{ readonly id: unknown; }'."
  ],
  [
    "a wrong message of a client",
    'Effect.flatMap(WebSocket.client(contract, "/"), (client) => client.send("a"))',
    `Argument of type 'string' is not assignable to parameter of type ${say}.`
  ]
] as const

const shown = `
const chat = WebSocket.make({ receive: Say, send: Schema.String }, (socket) => Effect.void)
//    ^?                                                            ^?
const seat = WebSocket.raw({ params: id }, (socket, { params }) => socket.send(\`\${params.id}\`))
//    ^?                                              ^?
const client = WebSocket.client(chat, "/")
//    ^?
const lobby = Room.of("lobby", chat)
//    ^?
`
const texts = [
  "const chat: WebSocket.Endpoint<{ readonly text: string; }, string, never, unknown>",
  "(parameter) socket: WebSocket.Socket<{ readonly text: string; }, string>",
  "const seat: WebSocket.Endpoint<WebSocket.Data, WebSocket.Data, never, { readonly id: unknown; }>",
  "(parameter) params: { readonly id: number; }",
  "const client: Effect.Effect<WebSocket.Client<string, { readonly text: string; }>, WebSocket.WebSocketError, Scope>",
  "const lobby: Effect.Effect<Room.Room<string, Schema.Json>, never, never>"
]

const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "websocket-types-"))
afterAll(() => Fs.rmSync(folder, { recursive: true }))

beforeAll(() => {
  for (const name of ["node_modules", "src", "package.json"]) {
    Fs.symlinkSync(Sources.root + name, Path.join(folder, name))
  }
  const tsconfig = {
    extends: `${Sources.root}tsconfig.json`,
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
    include: ["*.ts"]
  }
  Fs.writeFileSync(Path.join(folder, "tsconfig.json"), JSON.stringify(tsconfig))
})

it("an editor shows an endpoint, what its handler is given, and what is made of it", { timeout: 60_000 }, async () => {
  const file = Path.join(folder, "shown.ts")
  Fs.writeFileSync(file, `${domain}${shown}`)
  const found = await hovers(file)
  assert.deepStrictEqual(
    found.map((text) => text.replaceAll(/\s+/g, " ")),
    texts
  )
})

describe("the compiler says of", () => {
  let said: ReadonlyArray<Diagnostic> = []

  beforeAll(async () => {
    for (const [index, [, program]] of rows.entries()) {
      Fs.writeFileSync(Path.join(folder, `${index}.ts`), `${domain}export const made = ${program}\n`)
    }
    said = await diagnostics(folder)
  }, 60_000)

  for (const [index, [mistake, , says]] of rows.entries()) {
    it(`${mistake}: ${says}`, () => {
      const messages = said.filter(({ path }) => Path.basename(path) === `${index}.ts`).map(({ message }) => message)
      assert.lengthOf(messages, 1, messages.join("\n"))
      assert.strictEqual(messages[0]!.split("\n").at(-1)!.slice(-says.length), says, messages[0])
    })
  }

  it("no other program", () => {
    const others = said.filter(({ path }) => !/^\d+\.ts$/.test(Path.basename(path)))
    assert.deepStrictEqual(others, [])
  })
})
