/** The hand-written check of a message, for the servers that bring no schema of their own. */
export interface Message {
  readonly text: string
  readonly n: number
}

export const isMessage = (value: unknown): value is Message => {
  if (typeof value !== "object" || value === null) return false
  const { text, n } = value as Record<string, unknown>
  return typeof text === "string" && Number.isInteger(n)
}

/** The message of a frame; undefined where it is none. */
export const parse = (frame: string): Message | undefined => {
  try {
    const value: unknown = JSON.parse(frame)
    return isMessage(value) ? value : undefined
  } catch {
    return undefined
  }
}
