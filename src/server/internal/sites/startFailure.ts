/**
 * Why a server cannot start: one line with its cure.
 *
 * ```ts
 * failure("*:80", error) // Cannot listen on *:80: this port is not allowed; give one above 1023, or the right to bind it
 * ```
 */
import { ServeError } from "effect/http/HttpServerError"

const cures: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use; stop what listens there, or give another `port` (0 takes a free one)",
  EACCES: "this port is not allowed; give one above 1023, or the right to bind it",
  EADDRNOTAVAIL: "this machine has no such address; give another `host`",
  ENOTFOUND: "the name has no address; give another `host`"
}

/** The failure; `cure` in place of the one that is known for the code of the cause. */
export const failure = (place: string, cause: NodeJS.ErrnoException, cure?: string): ServeError => {
  const error = new ServeError({ cause })
  const known = cause.code === undefined ? undefined : cures[cause.code]
  error.message = `Cannot listen on ${place}: ${cure ?? known ?? cause.message}`
  return error
}
