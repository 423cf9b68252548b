/**
 * Which protocol a client speaks that has not said so by TLS: HTTP/2 begins with words that no request of HTTP/1.1 begins with.
 *
 * ```ts
 * Preface.look(socket, 10_000, (isHttp2) => (isHttp2 ? sessions(socket) : http1(socket)))
 * ```
 *
 * @spec RFC 9113 §3.3, §3.4
 */
import type * as Net from "node:net"

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

/** Calls back when it is known, with all that was read put back; within the time, in milliseconds, or the connection is closed. */
export const look = (socket: Net.Socket, timeout: number, f: (isHttp2: boolean) => void): void => {
  let seen: Buffer = Buffer.alloc(0)
  const leave = () => socket.destroy()
  const timer = timeout > 0 ? setTimeout(leave, timeout) : undefined
  const stop = () => {
    clearTimeout(timer)
    socket.off("data", next).off("end", leave).off("error", leave).off("close", stop)
  }
  const next = (chunk: Buffer) => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
    const isHttp2 = preface.subarray(0, seen.length).equals(seen.subarray(0, preface.length))
    if (isHttp2 && seen.length < preface.length) return
    stop()
    socket.pause()
    socket.unshift(seen)
    // As Node leaves it: the next listener makes it flow.
    ;(socket as { readableFlowing: boolean | null }).readableFlowing = null
    f(isHttp2)
  }
  socket.on("data", next).once("end", leave).once("error", leave).once("close", stop)
}
