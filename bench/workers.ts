/**
 * The throughput of two workers beside that of one, on two cores that the load has to share.
 *
 *   node workers.ts [--rounds 5] [--seconds 5]
 *
 * Each answer takes a quarter of a millisecond of a core or more: what the load takes of both cores is printed, since two workers cannot have it.
 * A machine that does other things at the same time says little about throughput; the time of the processors per request it says.
 */
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as Process from "./harness/Process.ts"

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, seconds: { type: "string", default: "5" } }
})
const seconds = Number(values.seconds)
const program = fileURLToPath(new URL("servers/workers/effect-web.ts", import.meta.url))

interface Result {
  readonly perSecond: number
  /** Of supervisor and workers, in milliseconds of a processor for each request. */
  readonly cost: number
  /** What the load takes of two cores. */
  readonly load: number
}

const childrenOf = (pid: number): ReadonlyArray<number> =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number)

// What children that have ended took, in seconds: user and system.
const ended = (): number => {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ") ?? []
  return (Number(fields[13]) + Number(fields[14])) / 100
}

const wrk = (port: number, duration: number): { readonly requests: number; readonly cpu: number } => {
  const before = ended()
  const { stdout } = spawnSync("wrk", ["-t1", "-c32", `-d${duration}s`, `http://127.0.0.1:${port}/`], {
    encoding: "utf8"
  })
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  if (/Non-2xx|Socket errors/.test(stdout) || !(requests > 0)) throw new Error(stdout)
  return { requests, cpu: ended() - before }
}

const measure = async (workers: number, port: number): Promise<Result> => {
  const env = { ...process.env, PORT: String(port), WORKERS: String(workers), NODE_ENV: "production" }
  const child = spawn(process.execPath, [program], { env, stdio: ["ignore", "pipe", "inherit"] })
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk) => String(chunk).includes(") run on ") && resolve())
    child.once("exit", (code) =>
      reject(new Error(`The server has ended with ${code}; npm ci && npm run build in the root`))
    )
  })
  wrk(port, 2)
  const pid = child.pid as number
  const all = [pid, ...childrenOf(pid)]
  const cpu = () => all.reduce((sum, pid) => sum + Process.cpuSeconds(pid), 0)
  const before = cpu()
  const done = wrk(port, seconds)
  const cost = ((cpu() - before) * 1000) / done.requests
  child.kill("SIGTERM")
  await once(child, "exit")
  return { perSecond: done.requests / seconds, cost, load: done.cpu / (2 * seconds) }
}

const median = (numbers: ReadonlyArray<number>): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number

const results: Record<1 | 2, Array<Result>> = { 1: [], 2: [] }
for (let round = 0; round < Number(values.rounds); round++) {
  for (const workers of [1, 2] as const) {
    const result = await measure(workers, 18_090 + workers)
    results[workers].push(result)
    const { cost, load, perSecond } = result
    console.log(
      `${workers} worker${workers === 1 ? " " : "s"}: ${perSecond.toFixed(0)} requests a second, ${cost.toFixed(3)} ms of a processor each; the load took ${(load * 100).toFixed(1)} % of both cores`
    )
  }
}
const of = (workers: 1 | 2, key: keyof Result): number => median(results[workers].map((result) => result[key]))
console.log(
  `\ntwo workers: ${(of(2, "perSecond") / of(1, "perSecond")).toFixed(2)} times the throughput of one, ${(of(2, "cost") / of(1, "cost")).toFixed(2)} times its cost per request; the load took ${(of(2, "load") * 100).toFixed(1)} % of both cores`
)
