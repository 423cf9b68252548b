/**
 * The place of this process among the workers of a supervisor, and what both say to each other.
 *
 * ```ts
 * const worker = yield* CurrentWorker // undefined where there are no workers
 * worker?.hasSuccessor()
 * ```
 */
import * as Cluster from "node:cluster"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type { Address } from "../../Site.ts"

/** A unix socket that the workers have in common. */
export interface SharedSocket {
  /** The path by which the supervisor knows it: where it was made. */
  readonly origin: string
  /** Which file it is. */
  readonly identity: string
}

/** What the environment of a worker says. */
export interface Seat {
  readonly number: number
  /** By the path that clients know. */
  readonly sockets: Readonly<Record<string, SharedSocket>>
}

/** From a worker to its supervisor. */
export type Report =
  /** It listens. `patience` is how long its stop may take, in milliseconds. */
  | { readonly effectWeb: "ready"; readonly addresses: ReadonlyArray<Address>; readonly patience: number }
  | { readonly effectWeb: "socket"; readonly path: string; readonly socket: SharedSocket }
  /** It wants to be replaced. */
  | { readonly effectWeb: "recycle"; readonly reason: string }
  /** Its event loop turns. */
  | { readonly effectWeb: "alive"; readonly isDebugged: boolean }
  /** It has stopped, and waits to hear that no connection is under way to it. */
  | { readonly effectWeb: "leave" }

/** From the supervisor to a worker. */
export type Order =
  | { readonly effectWeb: "drain"; readonly hasSuccessor: boolean }
  /** What was sent before this, connections too, is all. */
  | { readonly effectWeb: "left" }

/** What a server has to know when it is a worker's. */
export interface CurrentWorker {
  /** True when others go on where this one stops: nobody has to be told to go elsewhere. */
  readonly hasSuccessor: () => boolean
  /** Notes how long the stop of a server may take. */
  readonly patience: (longest: Duration.Duration) => void
  readonly socket: (path: string) => SharedSocket | undefined
  readonly shares: (path: string, socket: SharedSocket) => void
}

/** The worker that this process is. */
export const CurrentWorker = Context.Reference<CurrentWorker | undefined>("effect-web/CurrentWorker", {
  defaultValue: () => undefined
})

const variable = "EFFECT_WEB_WORKER"

/** The environment of a worker. What systemd is told the supervisor tells. */
export const environment = (seat: Seat): NodeJS.ProcessEnv => ({
  [variable]: JSON.stringify(seat),
  NOTIFY_SOCKET: undefined,
  WATCHDOG_USEC: undefined
})

/** The seat of this process, which it takes: its own children have none. Undefined where no supervisor has started it. */
export const take = (): Seat | undefined => {
  const text = process.env[variable]
  Reflect.deleteProperty(process.env, variable)
  return text === undefined || !Cluster.default.isWorker ? undefined : (JSON.parse(text) as Seat)
}

/** Whether a message is one of these. */
export const isOurs = <A extends Report | Order>(message: unknown): message is A =>
  typeof message === "object" && message !== null && "effectWeb" in message
