/** The tools and the two cores a measurement needs: one for the server, the other for the load. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"

export interface Cores {
  readonly server: number
  readonly load: number
}

const tools = [
  { command: "wrk", version: "-v", debian: "wrk" },
  { command: "taskset", version: "--version", debian: "util-linux" },
  { command: "setpriv", version: "--version", debian: "util-linux" }
]

/** The first two cores this process may use; throws, naming the cure, when a core or a tool is missing. */
export const claimUnsafe = (): Cores => {
  const missing = tools.filter(({ command, version }) => spawnSync(command, [version]).error !== undefined)
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((tool) => tool.debian))].join(" ")
    throw new Error(
      `The bench needs ${missing.map((tool) => tool.command).join(", ")}. On Debian or Ubuntu: apt-get install ${packages}`
    )
  }
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0"
  const [server, load] = list.split(",").flatMap((part) => {
    const [first = 0, last = first] = part.split("-").map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
  if (server === undefined || load === undefined) {
    throw new Error("The bench needs two cores: one for the server, the other for the load.")
  }
  return { server, load }
}
