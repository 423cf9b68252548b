/** The server programs and their life: started on a free port and one core until they answer. */
import type { ChildProcess } from "node:child_process"
import * as Net from "node:net"
import { fileURLToPath } from "node:url"
import * as Children from "./Children.ts"
import type { Subject } from "./Rows.ts"

export interface Program {
  /** The same name in several subjects is one server: a program for each, as its users would write it for that alone. */
  readonly name: string
  readonly subject: Subject
  readonly command: ReadonlyArray<string>
  /** What to do when it does not start. */
  readonly needs: string
  /** Rows of the subject that it has no answer to. */
  readonly lacks?: ReadonlyArray<string>
}

export interface Server {
  readonly name: string
  readonly url: string
  readonly pid: number
  readonly child: ChildProcess
  /** Why its process has ended, where it has. */
  readonly ended: () => string | undefined
}

const root = fileURLToPath(new URL("../../", import.meta.url))
const file = (name: string): string => fileURLToPath(new URL(`../servers/${name}`, import.meta.url))
const node = (subject: Subject, name: string, needs = "npm ci in bench/"): Program => ({
  name,
  subject,
  command: [process.execPath, file(`${subject}/${name}.ts`)],
  needs
})
const effectRouter = (subject: Subject): Program => node(subject, "effect-router", "npm ci in the root")
const effectWeb = (subject: Subject): Program => node(subject, "effect-web", "npm ci && npm run build in the root")
const aiohttp = (subject: Subject): Program => ({
  name: "aiohttp",
  subject,
  command: ["/usr/bin/python3", "-I", file(`${subject}/aiohttp.py`)],
  needs: "Debian package python3-aiohttp"
})
const nginx = (subject: Subject): Program => ({
  name: "nginx",
  subject,
  command: ["/bin/sh", file(`${subject}/nginx.sh`)],
  needs: "Debian package nginx-light"
})

/** A program with its access log on, by arguments of its own, beside the same one without. */
const logging = (name: string, kind: string, ...args: ReadonlyArray<string>): Program => {
  const program = node("logs", name, name === "effect-web" ? "npm ci && npm run build in the root" : "npm ci in bench/")
  return { ...program, name: `${name}+${kind}`, command: [...program.command, ...args] }
}

/** The server that the others are measured against, where a subject has no other. */
export const nodeHttp = "node-http"

/** The server that every ratio of a subject is measured against. */
export const baselineOf = (subject: Subject): string => (subject === "sockets" || subject === "idle" ? "ws" : nodeHttp)

/** The frameworks on Node that effect-web's speed is claimed against: what people would take instead. */
export const nodePeers: ReadonlyArray<string> = ["fastify", "hono", "express"]

const sockets: ReadonlyArray<Program> = [
  node("sockets", "ws"),
  node("sockets", "fastify"),
  effectWeb("sockets"),
  aiohttp("sockets")
]

export const all: ReadonlyArray<Program> = [
  node("answers", nodeHttp),
  node("answers", "fastify"),
  node("answers", "hono"),
  node("answers", "express"),
  effectRouter("answers"),
  effectWeb("answers"),
  aiohttp("answers"),

  node("stack", nodeHttp),
  node("stack", "node-http-by-hand"),
  node("stack", "fastify"),
  node("stack", "effect-web-bare", "npm ci && npm run build in the root"),
  effectWeb("stack"),

  node("logs", nodeHttp),
  node("logs", "fastify"),
  logging("fastify", "pino", "pino"),
  node("logs", "express"),
  logging("express", "morgan", "morgan"),
  effectWeb("logs"),
  logging("effect-web", "combined", "combined"),
  logging("effect-web", "logfmt", "logfmt"),
  logging("effect-web", "json", "json"),
  logging("effect-web", "json-middleware", "json", "middleware"),
  logging("effect-web", "Effect's logger", "fields"),

  node("files", nodeHttp),
  node("files", "fastify"),
  { ...node("files", "hono"), lacks: ["304"] }, // its serveStatic sends no ETag
  node("files", "express"),
  effectRouter("files"),
  effectWeb("files"),
  aiohttp("files"),
  nginx("files"),

  node("proxy", nodeHttp),
  node("proxy", "fastify"),
  node("proxy", "hono"),
  effectWeb("proxy"),
  nginx("proxy"),

  node("upload", nodeHttp),
  node("upload", "fastify"),
  { ...node("upload", "hono"), lacks: ["upload-2g"] }, // its parseBody holds the whole form in memory
  node("upload", "express"),
  effectRouter("upload"),
  effectWeb("upload"),
  aiohttp("upload"),

  ...sockets,
  ...sockets.map((program): Program => ({ ...program, subject: "idle" }))
]

/** The servers, each once. */
export const names: ReadonlyArray<string> = [...new Set(all.map((program) => program.name))]

/** What the programs of the proxy row ask: one process beside them, whose CPU time is not counted. */
export const upstream = {
  name: "upstream",
  command: [process.execPath, file("upstream.ts")],
  needs: "nothing but Node"
}

/** Starts a program and waits until it answers. The error's message says why it did not. */
export const start = async (
  program: Pick<Program, "name" | "command" | "needs">,
  core: number,
  environment: Readonly<Record<string, string>>
): Promise<Server> => {
  const port = await freePort()
  const child = Children.start("taskset", ["-c", String(core), ...program.command], {
    env: { ...process.env, ...environment, PORT: String(port), NODE_ENV: "production" }
  })
  let errors = ""
  child.stdout?.resume()
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    if (errors.length < 20_000) errors += text
  })
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const url = `http://127.0.0.1:${port}`
  const deadline = performance.now() + 15_000
  while (performance.now() < deadline && !hasEnded()) {
    if (await answers(url)) {
      const ended = () => (hasEnded() ? `the server ended: ${firstError(errors) ?? child.signalCode}` : undefined)
      return { name: program.name, url, pid: child.pid ?? 0, child, ended }
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await Children.stop(child)
  throw new Error(`${firstError(errors) ?? "no answer within 15 seconds"} (needs ${program.needs})`)
}

/** The line of a server's error output that says most. */
const firstError = (errors: string): string | undefined => {
  const lines = errors
    .replaceAll(root, "")
    .split("\n")
    .map((line) => line.trim())
  return lines.find((line) => /^\[?(\w*Error|Cannot)\b/.test(line)) ?? lines.find((line) => line !== "")
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = Net.createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as Net.AddressInfo
      probe.close(() => resolve(port))
    })
  })

const answers = async (url: string): Promise<boolean> => {
  try {
    const response = await fetch(`${url}/text`, { signal: AbortSignal.timeout(2000) })
    await response.body?.cancel()
    return true
  } catch {
    return false
  }
}
