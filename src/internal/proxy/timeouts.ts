/**
 * How long a proxy waits, checked when it is declared.
 *
 * ```ts
 * read({ response: "10 seconds" }) // { connect: 10000, response: 10000, idle: 60000 }
 * ```
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { Timeouts } from "./transport.ts"

/** How long to wait for an upstream server; `Duration.infinity` is for ever. */
export interface Options {
  /** For a connection to it; 10 seconds unless given. */
  readonly connect?: Duration.Input
  /** For the head of its answer, once it has the request; 60 seconds unless given. */
  readonly response?: Duration.Input
  /** For its next bytes, and for it to take the next bytes of a request; 60 seconds unless given. */
  readonly idle?: Duration.Input
}

/** Throws a TypeError for what is no duration. */
export const read = ({ connect, idle, response }: Options): Timeouts => ({
  connect: milliseconds("the timeout of the connection", connect ?? "10 seconds"),
  response: milliseconds("the timeout of the response", response ?? "60 seconds"),
  idle: milliseconds("the idle timeout", idle ?? "60 seconds")
})

/** A duration in milliseconds. */
export const milliseconds = (name: string, input: Duration.Input): number => {
  const duration = Option.getOrUndefined(Duration.fromInput(input))
  if (duration === undefined || Duration.toMillis(duration) <= 0) {
    throw new TypeError(`Proxy: ${name} is "${String(input)}"; write a duration as "10 seconds"`)
  }
  return Duration.toMillis(duration)
}
