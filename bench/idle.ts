/**
 * The memory of connections that are kept and say nothing, beside plain `node:http`: each has asked once.
 *
 *   node idle.ts [--connections 10000] [--rounds 3]
 *
 * The ratio is of what the process has grown by; it needs that many open files in each of the two processes.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as Net from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as Process from "./harness/Process.ts"

const { values } = parseArgs({
  options: { connections: { type: "string", default: "10000" }, rounds: { type: "string", default: "3" } }
})
const count = Number(values.connections)
const servers = ["node-http", "effect-web"] as const
const request = "GET /text HTTP/1.1\r\nHost: localhost\r\n\r\n"

// Gives the memory of garbage back when it is told to; and node:http's own 5 seconds would end its connections while they are counted.
const preload = `data:text/javascript,${encodeURIComponent(`
  process.on("SIGUSR2", () => gc())
  const { prototype } = process.getBuiltinModule("net").Server
  const { listen } = prototype
  prototype.listen = function (...args) {
    this.keepAliveTimeout = 75_000
    return listen.apply(this, args)
  }`)}`

const start = async (name: string, port: number): Promise<ChildProcess> => {
  const program = fileURLToPath(new URL(`servers/answers/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, ["--expose-gc", "--import", preload, program], {
    env: { ...process.env, PORT: String(port), NODE_ENV: "production" },
    stdio: ["ignore", "ignore", "inherit"]
  })
  for (let tries = 0; tries < 100; tries++) {
    const isUp = await new Promise((resolve) => {
      const socket = Net.connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false))
      socket.on("connect", () => socket.destroy())
    })
    if (isUp) return child
    await sleep(100)
  }
  throw new Error(`${name} does not listen`)
}

const open = async (port: number): Promise<Net.Socket> => {
  const socket = Net.connect(port, "127.0.0.1")
  await once(socket, "connect")
  socket.write(request)
  await once(socket, "data")
  return socket
}

const many = async (port: number, wanted: number): Promise<ReadonlyArray<Net.Socket>> => {
  const all: Array<Net.Socket> = []
  while (all.length < wanted) {
    const batch = Math.min(200, wanted - all.length)
    all.push(...(await Promise.all(Array.from({ length: batch }, () => open(port)))))
  }
  return all
}

const settled = async (pid: number): Promise<number> => {
  for (let turn = 0; turn < 3; turn++) {
    process.kill(pid, "SIGUSR2")
    await sleep(400)
  }
  return Process.residentBytes(pid)
}

const measure = async (name: string, port: number) => {
  const child = await start(name, port)
  const pid = child.pid as number
  for (const socket of await many(port, 200)) socket.destroy()
  const before = await settled(pid)
  const sockets = await many(port, count)
  const grown = (await settled(pid)) - before
  const cpu = Process.cpuSeconds(pid)
  await sleep(5000)
  const idle = (Process.cpuSeconds(pid) - cpu) / 5
  for (const socket of sockets) socket.destroy()
  child.kill("SIGKILL")
  await once(child, "exit")
  return { bytes: grown / count, idle }
}

const median = (numbers: ReadonlyArray<number>): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number

const results: Record<string, Array<{ readonly bytes: number; readonly idle: number }>> = {}
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [index, name] of servers.entries()) {
    const result = await measure(name, 18_080 + index)
    results[name] = [...(results[name] ?? []), result]
    console.log(
      `${name}: ${Math.round(result.bytes)} bytes a connection, ${(result.idle * 100).toFixed(1)} % of a core`
    )
  }
}
const [plain, own] = servers.map((name) => median((results[name] ?? []).map(({ bytes }) => bytes))) as [number, number]
console.log(`\n${count} idle connections: ${(own / plain).toFixed(2)} times the memory of node:http`)
