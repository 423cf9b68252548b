/**
 * Sends requests to upstream servers by undici, which keeps their connections.
 *
 * ```ts
 * const upstreams = make()
 * const answer = yield* upstreams.send(outgoing)
 * ```
 *
 * Effect's `HttpClient` over the same undici writes other paths than it is given (it resolves `..` and encodes), keeps one of several
 * cookies of a name, and took more than twice the CPU time for a small answer. A `Dispatcher` of `NodeHttpClient` among the services of
 * the server is taken in place of our own: for client certificates, unix sockets, a limit of connections.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { announcesMore, tooLarge } from "../../../internal/bodies/readBody.ts"
import * as Failure from "../../../internal/proxy/failure.ts"
import type { Incoming, Outgoing } from "../../../internal/proxy/transport.ts"
import { NodeRequest } from "../NodeRequest.ts"
import { exchange } from "./Exchange.ts"
import { Upload } from "./Upload.ts"
import { connect } from "./UpstreamSocket.ts"

/** What sends, and how its connections are closed. */
export interface Upstreams {
  readonly send: (outgoing: Outgoing) => Effect.Effect<Incoming, Failure.Failure, Scope.Scope>
  readonly close: Effect.Effect<void>
}

/** Makes it; connections are opened when they are needed. */
export const make = (): Upstreams => {
  const agents = new Map<number, Undici.Agent>()
  // A request that is given up stays with its connection until that is there, or given up too.
  const agentOf = (timeout: number): Undici.Agent => {
    const known = agents.get(timeout)
    if (known !== undefined) return known
    const limit = Number.isFinite(timeout) ? timeout : 0
    const agent = new Undici.Agent({ allowH2: false, connect: connect(limit) })
    agents.set(timeout, agent)
    return agent
  }
  return {
    send: (outgoing) =>
      Effect.withFiber((fiber) => {
        const dispatcher =
          Context.getOrUndefined(fiber.context, NodeHttpClient.Dispatcher) ?? agentOf(outgoing.timeouts.connect)
        const scope = Context.getUnsafe(fiber.context, Scope.Scope)
        const { headers, limit, source } = outgoing
        // Engines do not mix: the requests of this one are of this class.
        if (!(source instanceof NodeRequest)) return exchange(dispatcher, outgoing, headers, null, scope)
        const { whole } = source.body
        const isLarge =
          announcesMore(source, limit) || (limit !== undefined && whole !== undefined && whole.length > limit)
        if (isLarge) return Exit.fail(Failure.badRequest(tooLarge(limit)))
        if (whole !== undefined) return exchange(dispatcher, outgoing, headers, whole, scope)
        const { "content-encoding": coding, "content-length": length } = source.source.headers
        // undici reads it as a number: above, digits would be lost.
        if (Number(length) > Number.MAX_SAFE_INTEGER) return Exit.fail(Failure.badRequest(tooLarge(limit)))
        const own = [...headers]
        if (length !== undefined) own.push("content-length", length)
        if (coding !== undefined && source.headers["content-encoding"] === undefined)
          own.push("content-encoding", coding)
        return exchange(dispatcher, outgoing, own, new Upload(source.body, limit), scope)
      }),
    close: Effect.promise(() => Promise.all([...agents.values()].map((agent) => agent.destroy())))
  }
}
