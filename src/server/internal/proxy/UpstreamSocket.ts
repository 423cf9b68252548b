/**
 * The connections to upstream servers, watched for resets.
 *
 * ```ts
 * const agent = new Undici.Agent({ connect: connect(10_000) })
 * ```
 *
 * Of an answer that ends with its connection undici says that it has ended when the connection was reset, too. Our listener is the
 * first to hear of an error, and undici's own tells the handler before anything else runs.
 *
 * @spec RFC 9112 §8
 */
import { isIP, type Socket } from "node:net"
import { buildConnector } from "@effect/platform-node/Undici"

let failing: Socket | undefined

/** True while undici hears that a connection has failed. */
export const isReset = (): boolean => failing !== undefined

/** Opens connections for undici within milliseconds; 0 is for ever. HTTP/1.1 only: tunnels need it. */
export const connect = (timeout: number): buildConnector.connector => {
  const open = buildConnector({ allowH2: false, timeout })
  return (options, callback) =>
    open(options, (...result) => {
      const [, socket] = result
      socket?.on("error", () => {
        failing = socket as Socket
        process.nextTick(() => {
          failing = undefined
        })
      })
      callback(...result)
    })
}

const names = new Map<string, string | null>()

/** The server that TLS asks for: undici would take the client's Host for it, and connect anew for each. */
export const servername = (origin: string): string | null => {
  const known = names.get(origin)
  if (known !== undefined) return known
  const { hostname, protocol } = new URL(origin)
  const name = protocol === "https:" && isIP(hostname.replace(/^\[|\]$/g, "")) === 0 ? hostname : null
  names.set(origin, name)
  return name
}
