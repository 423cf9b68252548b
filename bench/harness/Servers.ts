/** The server programs and their life: started on a free port and one core, asked for CPU time and memory, stopped. */
import type { ChildProcess } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
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

/** The server every ratio is measured against. */
export const baseline = "node-http"

/** The frameworks on Node that effect-web's speed is claimed against: what people would take instead. */
export const nodePeers: ReadonlyArray<string> = ["fastify", "hono", "express"]

export const all: ReadonlyArray<Program> = [
  node("answers", baseline),
  node("answers", "fastify"),
  node("answers", "hono"),
  node("answers", "express"),
  effectRouter("answers"),
  effectWeb("answers"),
  aiohttp("answers"),

  node("files", baseline),
  node("files", "fastify"),
  { ...node("files", "hono"), lacks: ["304"] }, // its serveStatic sends no ETag
  node("files", "express"),
  effectRouter("files"),
  effectWeb("files"),
  aiohttp("files"),
  nginx("files"),

  node("proxy", baseline),
  node("proxy", "fastify"),
  node("proxy", "hono"),
  effectWeb("proxy"),
  nginx("proxy"),

  node("upload", baseline),
  node("upload", "fastify"),
  { ...node("upload", "hono"), lacks: ["upload-2g"] }, // its parseBody holds the whole form in memory
  node("upload", "express"),
  effectRouter("upload"),
  effectWeb("upload"),
  aiohttp("upload")
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
      return { name: program.name, url, child, ended }
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

/** User and system time of all threads of a server so far, in seconds. */
export const cpuSeconds = (server: Server): number => {
  const stat = readFileSync(`/proc/${server.child.pid}/stat`, "utf8")
  // The second field, the command, may hold spaces and parentheses; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  const ticksPerSecond = 100 // USER_HZ: a constant of Linux's interface on every architecture Node runs on
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** The most memory that a server's process had resident since the last `forgetPeak`, in bytes. */
export const peakBytes = (server: Server): number => {
  const status = readFileSync(`/proc/${server.child.pid}/status`, "utf8")
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024
}

/** Makes the present memory the peak. Where the kernel does not offer it, the peak is that of the process's whole life. */
export const forgetPeak = (server: Server): void => {
  try {
    writeFileSync(`/proc/${server.child.pid}/clear_refs`, "5")
  } catch {}
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
