/**
 * What every fiber of an engine has: Effect's services of the platform, this library's on Node, and those of the caller.
 *
 * ```ts
 * const base = yield* services(compiled, state, departures)
 * ```
 */
import * as NodeHttpPlatform from "@effect/platform-node/NodeHttpPlatform"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Etag from "effect/http/Etag"
import * as Headers from "effect/http/Headers"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as UrlParams from "effect/http/UrlParams"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Pending } from "../../internal/accessLog/lines.ts"
import { secretHeaders, secretParameters } from "../../internal/accessLog/redaction.ts"
import { BodyChunks } from "../../internal/bodies/bodyChunks.ts"
import * as ByteLimit from "../../internal/byteLimit.ts"
import { Files } from "../../internal/files/files.ts"
import { Draining, OnDrain } from "../../internal/lifecycle/draining.ts"
import { Unready } from "../../internal/lifecycle/readiness.ts"
import { ServerMemory } from "../../internal/lifecycle/serverMemory.ts"
import { CurrentTasks, tasksOf } from "../../internal/lifecycle/tasks.ts"
import { LoopDelay } from "../../internal/overload/loopDelay.ts"
import { Transport } from "../../internal/proxy/transport.ts"
import { memoryOf, RoomHub } from "../../internal/room/hub.ts"
import type { Compiled } from "../../internal/routing/compile.ts"
import { Sealing } from "../../internal/secrets/sealing.ts"
import { Sha256 } from "../../internal/secrets/sha256.ts"
import { Acceptor } from "../../internal/webSocket/wire.ts"
import { open as openChunks } from "./bodyChunks.ts"
import { nodeSealing } from "./crypto/NodeSealing.ts"
import { nodeSha256 } from "./crypto/nodeSha256.ts"
import type { Departures } from "./drain/Departures.ts"
import { nodeFiles } from "./files/NodeFiles.ts"
import * as NodeLoopDelay from "./LoopDelay.ts"
import * as UpstreamTransport from "./proxy/Transport.ts"
import type * as ResponseHead from "./responseHead.ts"
import * as NodeWebSocket from "./webSocket/NodeWebSocket.ts"
import { CurrentWorker } from "./workers/Seat.ts"

/** Effect's services of the platform. */
export const platform = Layer.mergeAll(
  NodeHttpPlatform.layer,
  Etag.layerWeak,
  NodeServices.layer,
  Layer.succeed(Files, nodeFiles)
)

/** The context of the fibers of an engine; what the caller provides wins. */
export const services = Effect.fnUntraced(function* (
  compiled: Compiled,
  state: ResponseHead.State,
  departures: Departures
): Effect.fn.Return<Context.Context<never>, never, Scope.Scope> {
  const own = yield* Layer.build(platform)
  const transport = yield* UpstreamTransport.make
  const loopDelay = yield* NodeLoopDelay.make
  const given = yield* Effect.context<never>()
  const worker = yield* CurrentWorker
  // One flat map: a request adds to it without ever copying it.
  return Context.makeUnsafe<never>(
    new Map<string, unknown>([
      ...own.mapUnsafe,
      [HttpServerRequest.MaxBodySize.key, ByteLimit.standard],
      [Draining.key, departures.draining],
      [OnDrain.key, departures.onDrain],
      [BodyChunks.key, openChunks],
      [Transport.key, transport],
      [Sealing.key, nodeSealing],
      [Sha256.key, nodeSha256],
      [RoomHub.key, memoryOf(compiled)],
      [ServerMemory.key, compiled],
      [CurrentTasks.key, tasksOf(compiled)],
      [Unready.key, () => (state.draining && worker?.hasSuccessor() !== true ? "The server stops" : undefined)],
      [LoopDelay.key, loopDelay],
      [Pending.key, new Set<() => void>()],
      // Spans have of a URL and of its headers what the access log has
      [UrlParams.CurrentRedactedNames.key, secretParameters],
      [Headers.CurrentRedactedNames.key, secretHeaders],
      [Acceptor.key, { accept: NodeWebSocket.accept, prepare: NodeWebSocket.prepare }],
      ...given.mapUnsafe
    ])
  )
})
