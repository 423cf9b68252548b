/**
 * A body that is coming in.
 *
 * ```ts
 * const arrival = new Arrival(source, response, now)
 * arrival.look({ timeout: 60_000, rate: 240 }, 1000)
 * ```
 *
 * @spec RFC 9110 §15.5.9
 */
import type * as Http from "node:http"
import * as HttpError from "../../../HttpError.ts"
import * as NodeExchange from "../exchange/NodeExchange.ts"
import { Outgoing } from "../http2/Outgoing.ts"
import { reset } from "../reset.ts"
import { Progress } from "./Progress.ts"
import type { Pace } from "./Rules.ts"

interface Internals {
  readonly _readableState: { readonly needReadable: boolean }
}

/** A body, from when somebody begins to read it. */
export class Arrival {
  readonly source: Http.IncomingMessage
  /** When it began, in milliseconds. */
  readonly since: number
  private readonly response: Http.ServerResponse
  private readonly before: number
  private readonly progress = new Progress()

  constructor(source: Http.IncomingMessage, response: Http.ServerResponse, since: number) {
    this.source = source
    this.response = response
    this.since = since
    this.before = bytesRead(source)
  }

  /** Looks how it gets on; false when there is nothing to look at any more. */
  look(pace: Pace, elapsed: number): boolean {
    const { before, progress, source } = this
    if (source.complete || source.destroyed) return false
    if (!isAwaited(source)) {
      progress.rest()
      return true
    }
    if (!progress.isTooSlow(pace, elapsed, bytesRead(source) - before)) return true
    this.refuse()
    return false
  }

  /** It did not come in time: 408, where that can still be said. */
  refuse(): void {
    const { response, source } = this
    if (response.headersSent || source.listenerCount("error") === 0) {
      // A body that nobody asked for is read away behind its answer, which is whole.
      if (!response.writableFinished) NodeExchange.of(response)?.broke("timedOut", "RequestTimeout")
      if (!(response instanceof Outgoing)) reset(source.socket)
      else if (response.writableFinished) response.closeRequest()
      else response.destroy()
      return
    }
    response.shouldKeepAlive = false
    // To destroy the request would be to destroy its connection.
    source.emit("error", new HttpError.RequestTimeout({ text: "The body did not arrive in time" }))
  }
}

const bytesRead = (source: Http.IncomingMessage & { readonly bodyRead?: number }): number =>
  source.bodyRead ?? source.socket.bytesRead

/** Whether a reader waits for bytes. What has come and is not taken, or not wanted now, is no fault of the client. */
export const isAwaited = (source: Http.IncomingMessage): boolean =>
  source.readableLength === 0 &&
  (source.readableFlowing === true ||
    (source.listenerCount("readable") > 0 && (source as Http.IncomingMessage & Internals)._readableState.needReadable))
