/**
 * The limits of a server for slow and for many clients, put over its engines.
 *
 * ```ts
 * const limits = Limits.make({ maxConnections: 10_000 })
 * const { refusal } = Limits.install(server, limits, base, connections)
 * ```
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { HttpError } from "../../../HttpError.ts"
import type { Connections } from "../Connections.ts"
import { reset } from "../reset.ts"
import { connectionEvent } from "../sites/SecureServer.ts"
import { Admission } from "./Admission.ts"
import * as Patrol from "./Patrol.ts"
import * as Rules from "./Rules.ts"

/** What holds for all engines of a server together. */
export interface Limits {
  readonly rules: Rules.Rules
  /** None where connections are not counted. */
  readonly admission: Admission | undefined
}

/** By the options of a server. Throws a TypeError for those that are wrong. */
export const make = (options: Rules.Options): Limits => {
  const rules = Rules.make(options)
  const isCounted = Math.min(rules.maxConnections, rules.maxPerAddress) < Number.POSITIVE_INFINITY
  return { rules, admission: isCounted ? new Admission(rules) : undefined }
}

/** What an engine asks for. */
export interface Installed {
  /** The answer to a request on a connection that is one too many; undefined where none is counted. */
  readonly refusal: ((socket: Net.Socket) => HttpError | undefined) | undefined
}

/** Puts them over a server; `base` is what its log lines are written with. */
export const install = (
  server: Http.Server,
  { admission, rules }: Limits,
  base: Context.Context<never>,
  connections: Connections
): Installed => {
  const clock = Context.get(base, Clock.Clock)
  const report = (): void => {
    const line = admission?.say(clock.currentTimeMillisUnsafe())
    if (line !== undefined) Effect.runForkWith(base)(Effect.logWarning(line))
  }
  Patrol.make(server, rules, clock, connections, report)
  if (admission === undefined) return { refusal: undefined }
  server.on(connectionEvent(server), (socket: Net.Socket) => {
    if (admission.knows(socket)) return
    socket.once("close", () => admission.leave(socket))
    if (!admission.enter(socket, connections.giveWay)) {
      admission.refuse()
      reset(socket)
    }
    report()
  })
  if (admission.most < Number.POSITIVE_INFINITY) {
    // What is dropped a worker would send back to its supervisor, which gives it to the next, without end when all are full. Node's types
    // do not have it yet.
    Object.assign(server, { maxConnections: admission.most, dropMaxConnection: true })
  }
  const refuse = (): void => {
    admission.refuse()
    report()
  }
  server.on("drop", refuse)
  return {
    refusal: (socket) => {
      const error = admission.refusal(socket)
      if (error !== undefined) refuse()
      return error
    }
  }
}
