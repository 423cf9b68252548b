/**
 * Asks the TypeScript compiler what a reader of a program is told: the diagnostics, and what an editor shows of a value.
 */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"

const root = resolve(import.meta.dirname, "..")
const tsc = resolve(root, "node_modules/typescript/bin/tsc")

/** The diagnostics of a project, each with all its lines; the file's path is relative to the repository. */
export const diagnostics = (project: string): Promise<ReadonlyArray<Diagnostic>> =>
  new Promise((done) => {
    execFile(process.execPath, [tsc, "-p", project, "--noEmit", "--pretty", "false"], { cwd: root }, (_, stdout) =>
      done(
        stdout.split(/\n(?! )/).flatMap((text) => {
          const [, path, line, message] = /^(\S+)\((\d+),\d+\): error TS\d+: (.*)$/s.exec(text.trimEnd()) ?? []
          return path === undefined ? [] : [{ path, line: Number(line), message: `${message}` }]
        })
      )
    )
  })

/** What the compiler says of a line. */
export interface Diagnostic {
  readonly path: string
  readonly line: number
  readonly message: string
}

/** What an editor shows at each "^?" of a file, of what stands above it; in their order. */
export const hovers = async (path: string): Promise<ReadonlyArray<string>> => {
  const uri = pathToFileURL(resolve(root, path)).href
  const text = readFileSync(resolve(root, path), "utf8")
  const server = spawn(process.execPath, [tsc, "--lsp", "--stdio"], { cwd: root })
  const ask = connect(server)
  await ask("initialize", {
    processId: process.pid,
    rootUri: pathToFileURL(root).href,
    capabilities: { textDocument: { hover: { contentFormat: ["plaintext"] } } }
  })
  ask("initialized", {}, false)
  ask("textDocument/didOpen", { textDocument: { uri, languageId: "typescript", version: 1, text } }, false)
  const shown: Array<string> = []
  for (const position of marks(text)) {
    const hover = await ask("textDocument/hover", { textDocument: { uri }, position })
    shown.push(hover?.contents?.value ?? `nothing at ${position.line + 1}:${position.character + 1}`)
  }
  server.kill()
  return shown
}

const marks = (text: string) =>
  text.split("\n").flatMap((line, index) => {
    if (!/^ *\/\/ .*\^\?/.test(line)) return []
    return [...line.matchAll(/\^\?/g)].map(({ index: character }) => ({ line: index - 1, character }))
  })

interface Answer {
  readonly contents?: { readonly value?: string }
}

// The Language Server Protocol: JSON behind a Content-Length.
const connect = (server: ChildProcessWithoutNullStreams) => {
  const waiting = new Map<number, (answer: Answer | undefined) => void>()
  const send = (message: object) => {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message })
    server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
  let rest = Buffer.alloc(0)
  server.stdout.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (let end = rest.indexOf("\r\n\r\n"); end !== -1; end = rest.indexOf("\r\n\r\n")) {
      const length = Number(/Content-Length: (\d+)/i.exec(rest.toString("latin1", 0, end))?.[1])
      if (rest.length < end + 4 + length) return
      const { id, method, result } = JSON.parse(rest.toString("utf8", end + 4, end + 4 + length))
      rest = rest.subarray(end + 4 + length)
      // The server asks too; it does without an answer of worth.
      if (method !== undefined && id !== undefined) send({ id, result: null })
      else waiting.get(id)?.(result)
    }
  })
  let last = 0
  return (method: string, params: object, isRequest = true): Promise<Answer | undefined> => {
    if (!isRequest) {
      send({ method, params })
      return Promise.resolve(undefined)
    }
    const id = ++last
    return new Promise((done) => {
      waiting.set(id, done)
      send({ id, method, params })
    })
  }
}
