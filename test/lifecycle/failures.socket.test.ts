/**
 * Starts that fail at each of their stages, as real processes: what was built is released in reverse order, no file is left, and the
 * exit code is 1 with a line that says why.
 */
import * as Fs from "node:fs"
import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Folder from "../folder.ts"
import { until } from "../server/both.ts"
import { run } from "./program.ts"

/** Somebody who listens. */
const taken = Effect.map(
  Effect.acquireRelease(
    Effect.callback<Net.Server>((resume) => {
      const server = Net.createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => void server.close())
  ),
  (server) => (server.address() as Net.AddressInfo).port
)

const all = ["database", "mounted", "one", "two", "task", "three"]
const released = ["-task", "-three", "-two", "stop", "-one", "-mounted", "-database"]

/** The stage, what was built by then, what is released, and the line. */
const rows: ReadonlyArray<
  readonly [stage: string, name: string, built: ReadonlyArray<string>, released: ReadonlyArray<string>, line: string]
> = [
  ["database", "a layer that the app needs fails", all.slice(0, 1), ["-database"], "Error: no database"],
  [
    "compile",
    "the app is declared wrong",
    all.slice(0, 1),
    ["-database"],
    'The app does not start: TypeError: The routes "home" (GET /) and "again" (GET /) answer the same requests; remove one or change its path'
  ],
  [
    "mounted",
    "a mounted layer fails",
    all.slice(0, 2),
    ["-mounted", "-database"],
    "The app does not start: what is mounted failed: Error: no mounted"
  ],
  [
    "one",
    "the first onStart fails",
    all.slice(0, 3),
    ["-one", "-mounted", "-database"],
    "The app does not start: its onStart 1 of 5 failed: Error: no one"
  ],
  [
    "two",
    "the second onStart fails, behind an onStop",
    all.slice(0, 4),
    ["-two", "stop", "-one", "-mounted", "-database"],
    "The app does not start: its onStart 2 of 5 failed: Error: no two"
  ],
  [
    "three",
    "an onStart fails behind one that began background work",
    all,
    released,
    "The app does not start: its onStart 4 of 5 failed: Error: no three"
  ],
  [
    "certificate",
    "a certificate is missing",
    all,
    released,
    'Cannot listen on TLS: the key "FOLDER/none.pem" does not exist; give the path of a PEM file, or its text'
  ],
  [
    "address",
    "the address of the last of three sites is in use",
    all,
    released,
    "Cannot listen on 127.0.0.1:PORT: the port is in use; stop what listens there, or give another `port` (0 takes a free one)"
  ],
  [
    "path",
    "the path of a unix socket is taken",
    all,
    released,
    "Cannot listen on FOLDER/taken.sock: a file that is no socket has this name; give another `path`"
  ]
]

const start = Effect.fnUntraced(function* (stage: string) {
  const port = yield* taken
  const { path: folder } = Folder.make({ "taken.sock": "" })
  const program = yield* run("failing.ts", stage, folder, String(port))
  const lines = () => {
    const plain = program.output().replaceAll(folder, "FOLDER").replaceAll(`:${port}:`, ":PORT:")
    return plain.split("\n").filter((line) => line !== "" && !line.startsWith("    at "))
  }
  return { program, lines, files: () => Fs.readdirSync(folder) }
})

describe("a program whose start fails because", () => {
  for (const [stage, name, built, given, line] of rows) {
    it.live(`${name} releases what was built, leaves nothing, and ends with 1`, () =>
      Effect.gen(function* () {
        const { files, lines, program } = yield* start(stage)
        assert.strictEqual(yield* program.ended, 1)
        assert.deepStrictEqual(
          lines().filter((text) => text !== line),
          [...built.map((name) => `+${name}`), ...given]
        )
        assert.include(lines(), line)
        assert.deepStrictEqual(files(), ["taken.sock"])
      })
    )
  }

  it.live("a signal comes while it starts releases what was built, and ends with 0", () =>
    Effect.gen(function* () {
      const { files, lines, program } = yield* start("interrupted")
      yield* until(() => lines().includes("waits"))
      yield* program.signal("SIGTERM")
      assert.strictEqual(yield* program.ended, 0)
      assert.deepStrictEqual(lines(), [...all.map((name) => `+${name}`), "waits", ...released])
      assert.deepStrictEqual(files(), ["taken.sock"])
    })
  )
})
