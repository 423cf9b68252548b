/** What the servers serve and where they save uploads: a folder of this run alone, removed when it ends. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface Scratch {
  /** One folder for whatever a server needs to start. */
  readonly folder: string
  /** Holds `files`, and nothing else. */
  readonly files: string
  /** Empty before and after each upload. */
  readonly uploads: string
}

const text = (bytes: number): string =>
  "All work is read once and served many times, as files are.\n".repeat(bytes).slice(0, bytes)

/** The served files by name. */
export const files: Readonly<Record<string, string>> = { "1k.txt": text(1024), "1m.txt": text(1024 * 1024) }

/** Makes the folder under the system's folder for temporary files (TMPDIR). */
export const make = (): Scratch => {
  const folder = mkdtempSync(join(tmpdir(), "effect-web-bench-"))
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  const scratch = { folder, files: join(folder, "files"), uploads: join(folder, "uploads") }
  mkdirSync(scratch.files)
  mkdirSync(scratch.uploads)
  for (const name of Object.keys(files)) write(scratch, name, files[name]!)
  return scratch
}

/** Runs a step while the content of a file is another one of the same length, which it is given. */
export const whileChanged = async (
  scratch: Scratch,
  name: string,
  step: (content: string) => Promise<void>
): Promise<void> => {
  const content = files[name]!.toUpperCase()
  writeFileSync(join(scratch.files, name), content)
  try {
    await step(content)
  } finally {
    write(scratch, name, files[name]!)
  }
}

const write = (scratch: Scratch, name: string, content: string): void => {
  const file = join(scratch.files, name)
  writeFileSync(file, content)
  utimesSync(file, modified, modified)
}

const modified = new Date("2026-01-01T00:00:00Z") // long ago: a validator of a file that just changed may be weak
