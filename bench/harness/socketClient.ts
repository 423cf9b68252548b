/** Opens WebSockets, sends messages and compares every answer, or holds them idle. Started by Sockets.ts. */
import { readFileSync, writeSync } from "node:fs"
import * as Frames from "./Frames.ts"
import * as Process from "./Process.ts"
import { heartbeatSeconds, type Job } from "./Sockets.ts"

const { url, load, burst, connections, message, refused, seconds, pid } = JSON.parse(
  process.env.BENCH_JOB ?? "{}"
) as Job

const wanted = Buffer.from(message)
const frame = Frames.masked(wanted)

const fail = (reason: string): never => {
  console.error(reason)
  process.exit(1)
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** What happens when a connection has had a message that is the wanted one. */
let received: (at: number) => void = () => fail("a message that nobody has asked for")

const openOne = (at: number): Promise<Frames.Connection> =>
  Frames.open(url, {
    message: (payload) => {
      if (!payload.equals(wanted)) fail(`answer ${JSON.stringify(payload.toString("utf8", 0, 80))}`)
      received(at)
    },
    ended: (reason) => fail(`connection ${at} of ${connections}: ${reason}`)
  })

const openAll = async (): Promise<ReadonlyArray<Frames.Connection>> => {
  const all: Array<Frames.Connection> = []
  while (all.length < connections) {
    const batch = Array.from({ length: Math.min(100, connections - all.length) }, (_, at) => openOne(all.length + at))
    all.push(...(await Promise.all(batch)))
  }
  return all
}

/** Fails unless the server closes for a message that it must not take. */
const checkRefused = (refused: string): Promise<void> =>
  new Promise((resolve) => {
    const patience = setTimeout(() => fail("an invalid message did not close the connection"), 5000)
    const ended = () => {
      clearTimeout(patience)
      resolve()
    }
    const listener = { message: () => fail("an invalid message was answered"), ended }
    Frames.open(url, listener).then(
      (one) => one.write(Frames.masked(Buffer.from(refused))),
      (error: Error) => fail(error.message)
    )
  })

/** One message on the way on each connection; the number of answers. */
const echo = (all: ReadonlyArray<Frames.Connection>, milliseconds: number): Promise<number> =>
  new Promise((resolve) => {
    const end = performance.now() + milliseconds
    let count = 0
    let open = all.length
    received = (at) => {
      count++
      if (performance.now() < end) all[at]!.write(frame)
      else if (--open === 0) resolve(count)
    }
    for (const one of all) one.write(frame)
  })

/** The first connection says so many messages at once, and again when all have had them; the number of deliveries. */
const broadcast = (all: ReadonlyArray<Frames.Connection>, milliseconds: number): Promise<number> =>
  new Promise((resolve) => {
    const end = performance.now() + milliseconds
    const counts = new Uint32Array(all.length)
    const frames = Buffer.concat(Array<Buffer>(burst).fill(frame))
    let said = 0
    let missing = 0
    const say = (): void => {
      said += burst
      missing = all.length * burst
      all[0]!.write(frames)
    }
    received = (at) => {
      counts[at]!++
      if (counts[at]! > said) fail(`connection ${at} has had ${counts[at]} of ${said} messages`)
      if (--missing > 0) return
      if (performance.now() >= end) return resolve(said * all.length)
      say()
    }
    say()
  })

/** Throws where the system does not let one process have so many connections. */
const checkLimitsUnsafe = (): void => {
  for (const process of ["self", pid]) {
    const limits = readFileSync(`/proc/${process}/limits`, "utf8")
    const most = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1])
    if (most < connections + 100) fail(`a process may have ${most} open files: ulimit -n ${connections + 1000}`)
  }
}

/** Opens, holds and asks each connection once at the end. */
const idle = async (): Promise<Record<string, number>> => {
  const empty = Process.residentBytes(pid)
  const start = performance.now()
  const all = await openAll()
  const microseconds = (performance.now() - start) * 1000
  const cpu = Process.cpuSeconds(pid)
  await sleep(seconds * 1000)
  const held = { cpuSeconds: Process.cpuSeconds(pid) - cpu, heldBytes: Process.residentBytes(pid) - empty }
  const silent = all.filter((one) => one.pings() === 0).length
  if (seconds > heartbeatSeconds && silent > 0) fail(`${silent} connections had no ping in ${seconds} seconds`)
  await echo(all, 0)
  return { requests: connections, microseconds, ...held }
}

const busy = async (): Promise<Record<string, number>> => {
  if (refused !== undefined) await checkRefused(refused)
  const all = await openAll()
  const cpu = Process.cpuSeconds(pid)
  const start = performance.now()
  const requests = await (load === "echo" ? echo : broadcast)(all, seconds * 1000)
  const microseconds = (performance.now() - start) * 1000
  return { requests, microseconds, cpuSeconds: Process.cpuSeconds(pid) - cpu }
}

checkLimitsUnsafe()
setTimeout(() => fail("answers are missing"), (seconds + 60) * 1000).unref()
const done = await (load === "idle" ? idle() : busy())
writeSync(1, `\nBENCH ${JSON.stringify(done)}\n`)
process.exit(0)
