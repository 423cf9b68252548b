/** What a run ran on, so that a number is never read without it. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { findPackageJSON } from "node:module"
import * as Os from "node:os"

const servers = new URL("../servers/", import.meta.url)
const root = new URL("../../", import.meta.url)
const peers = [
  "fastify",
  "@fastify/static",
  "@fastify/multipart",
  "@fastify/http-proxy",
  "@fastify/websocket",
  "hono",
  "@hono/node-server",
  "express",
  "multer",
  "ws",
  "effect",
  "@effect/platform-node"
]

export const describe = (): Record<string, string> => ({
  date: new Date().toISOString(),
  cpu: `${Os.cpus()[0]?.model ?? "unknown"}, ${Os.availableParallelism()} cores`,
  system: `${Os.type()} ${Os.release()} ${Os.arch()}`,
  load: `${Os.loadavg()[0]?.toFixed(2)} before the run`,
  node: process.version,
  ...Object.fromEntries(peers.map((name) => [name, version(name)])),
  wrk: /\d\S*/.exec(spawnSync("wrk", ["-v"], { encoding: "utf8" }).stdout ?? "")?.[0] ?? "none",
  aiohttp: aiohttp(),
  nginx: /\d\S*/.exec(spawnSync("/usr/sbin/nginx", ["-v"], { encoding: "utf8" }).stderr ?? "")?.[0] ?? "none",
  "uploads saved on": filesystem(Os.tmpdir())
})

/** Throws when the server programs and effect-web would load different copies of Effect: they could not work together. */
export const checkOneEffectUnsafe = (): void => {
  for (const name of ["effect", "@effect/platform-node"]) {
    const [program, library] = [
      findPackageJSON(name, new URL("x.ts", servers)),
      findPackageJSON(name, new URL("x", root))
    ]
    if (program === undefined || program !== library) {
      throw new Error(
        `${name} must come from the root alone: run npm ci in the root, and keep it out of bench/package.json`
      )
    }
  }
}

const version = (name: string): string => {
  try {
    const path = findPackageJSON(name, new URL("x.ts", servers))
    return path === undefined ? "none" : (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version
  } catch {
    return "none"
  }
}

const filesystem = (folder: string): string => {
  const { status, stdout } = spawnSync("findmnt", ["-n", "-o", "FSTYPE", "-T", folder], { encoding: "utf8" })
  return status === 0 ? stdout.trim() : "unknown"
}

const aiohttp = (): string => {
  const program = "import aiohttp, platform; print(aiohttp.__version__, 'on Python', platform.python_version())"
  const { status, stdout } = spawnSync("/usr/bin/python3", ["-I", "-c", program], { encoding: "utf8", timeout: 10_000 })
  return status === 0 ? stdout.trim() : "none"
}
