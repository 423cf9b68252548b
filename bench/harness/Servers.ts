/** The server programs and their life: started on a free port and one core, asked for their CPU time, stopped. */
import type { ChildProcess } from "node:child_process"
import { readFileSync } from "node:fs"
import * as Net from "node:net"
import { fileURLToPath } from "node:url"
import * as Children from "./Children.ts"

export interface Program {
  readonly name: string
  readonly command: ReadonlyArray<string>
  /** What to do when it does not start. */
  readonly needs: string
}

export interface Server {
  readonly name: string
  readonly url: string
  readonly child: ChildProcess
}

const root = fileURLToPath(new URL("../../", import.meta.url))
const file = (name: string): string => fileURLToPath(new URL(`../servers/${name}`, import.meta.url))
const node = (name: string, needs = "npm ci in bench/"): Program => ({
  name,
  command: [process.execPath, file(`${name}.ts`)],
  needs
})

/** The server every ratio is measured against. */
export const baseline = "node-http"

export const all: ReadonlyArray<Program> = [
  node(baseline),
  node("fastify"),
  node("hono"),
  node("express"),
  node("effect-router", "npm ci in the root"),
  node("effect-web", "npm ci && npm run build in the root"),
  { name: "aiohttp", command: ["/usr/bin/python3", "-I", file("aiohttp.py")], needs: "Debian package python3-aiohttp" }
]

/** Starts a program and waits until it answers. The error's message says why it did not. */
export const start = async (program: Program, core: number): Promise<Server> => {
  const port = await freePort()
  const child = Children.start("taskset", ["-c", String(core), ...program.command], {
    env: { ...process.env, PORT: String(port), NODE_ENV: "production" }
  })
  let errors = ""
  child.stdout?.resume()
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    if (errors.length < 20_000) errors += text
  })
  const url = `http://127.0.0.1:${port}`
  const deadline = performance.now() + 15_000
  while (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
    if (await answers(url)) return { name: program.name, url, child }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await Children.stop(child)
  const lines = errors
    .replaceAll(root, "")
    .split("\n")
    .map((line) => line.trim())
  const reason = lines.find((line) => /^\[?(\w*Error|Cannot)\b/.test(line)) ?? lines.find((line) => line !== "")
  throw new Error(`${reason ?? "no answer within 15 seconds"} (needs ${program.needs})`)
}

/** User and system time of all threads of a server so far, in seconds. */
export const cpuSeconds = (server: Server): number => {
  const stat = readFileSync(`/proc/${server.child.pid}/stat`, "utf8")
  // The second field, the command, may hold spaces and parentheses; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  const ticksPerSecond = 100 // USER_HZ: a constant of Linux's interface on every architecture Node runs on
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
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
