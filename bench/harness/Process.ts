/** What the kernel accounts to a process: CPU time and memory. */
import { readFileSync, writeFileSync } from "node:fs"

/** User and system time of all its threads so far, in seconds. */
export const cpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  // The second field, the command, may hold spaces and parentheses; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  const ticksPerSecond = 100 // USER_HZ: a constant of Linux's interface on every architecture Node runs on
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** The memory that is resident now, in bytes. */
export const residentBytes = (pid: number): number => status(pid, "VmRSS")

/** The most memory that was resident since the last `forgetPeak`, in bytes. */
export const peakBytes = (pid: number): number => status(pid, "VmHWM")

/** Makes the present memory the peak. Where the kernel does not offer it, the peak is that of the process's whole life. */
export const forgetPeak = (pid: number): void => {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5")
  } catch {}
}

const status = (pid: number, field: string): number => {
  const text = readFileSync(`/proc/${pid}/status`, "utf8")
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(text)?.[1]) * 1024
}
