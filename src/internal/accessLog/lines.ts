/**
 * Lines that are written together: those of ten milliseconds at a time.
 *
 * ```ts
 * const write = batched((text) => process.stdout.write(text), pending, onError)
 * write("a line")
 * ```
 */
import * as Context from "effect/Context"

/** What is still to be written; the server does so before it ends. */
export const Pending = Context.Reference<Set<() => void>>("effect-web/AccessLog/Pending", {
  defaultValue: () => new Set()
})

/** So many milliseconds a line may wait: a write costs as much as ten lines. */
const patience = 10

/** So many characters are written at once, without waiting. */
const most = 64 * 1024

/** Gives the function that takes a line. When `write` throws, `onError` is told what was lost. */
export const batched = (write: (lines: string) => void, onError: (error: unknown) => void) => {
  let buffer = ""
  let owner: Set<() => void> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    owner?.delete(flush)
    const text = buffer
    buffer = ""
    if (text === "") return
    try {
      write(text)
    } catch (error) {
      onError(error)
    }
  }
  return (line: string, pending: Set<() => void>): void => {
    buffer += `${line}\n`
    if (timer === undefined) {
      timer = setTimeout(flush, patience)
      owner = pending.add(flush)
    }
    if (buffer.length > most) flush()
  }
}
