/** The hand-written check of a message, for the servers that bring no schema of their own. */
export interface Message {
  readonly text: string
  readonly n: number
  readonly prices?: ReadonlyArray<Price>
}

interface Price {
  readonly symbol: string
  readonly bid: number
  readonly ask: number
  readonly at: string
}

export const isMessage = (value: unknown): value is Message => {
  if (typeof value !== "object" || value === null) return false
  const { text, n, prices } = value as Record<string, unknown>
  if (typeof text !== "string" || !Number.isInteger(n)) return false
  return prices === undefined || (Array.isArray(prices) && prices.every(isPrice))
}

const isPrice = (value: unknown): value is Price => {
  if (typeof value !== "object" || value === null) return false
  const { symbol, bid, ask, at } = value as Record<string, unknown>
  return typeof symbol === "string" && Number.isFinite(bid) && Number.isFinite(ask) && typeof at === "string"
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
