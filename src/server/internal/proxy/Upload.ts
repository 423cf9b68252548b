/**
 * The body of a request on its way to another server, as it came: no coding undone, nothing held back.
 *
 * ```ts
 * const upload = new Upload(request.body, undefined)
 * ```
 *
 * The client is read when the other server takes bytes, so one that waits for 100 Continue gets it then. To destroy the upload does
 * not destroy the connection of the client, who may yet get an answer.
 *
 * @spec RFC 9110 §10.1.1
 */
import type * as Http from "node:http"
import { Readable } from "node:stream"
import { tooLarge } from "../../../internal/bodies/readBody.ts"
import * as Failure from "../../../internal/proxy/failure.ts"
import type { RequestBody } from "../RequestBody.ts"

/** The body as undici takes it. */
export class Upload extends Readable {
  /** Why it broke off, when that was not the other server's doing. */
  failure: Failure.Failure | undefined
  private readonly body: RequestBody
  private readonly limit: bigint | undefined
  private source: Http.IncomingMessage | undefined
  private size = 0

  constructor(body: RequestBody, limit: bigint | undefined) {
    super()
    this.body = body
    this.limit = limit
  }

  /** True when something of the body was taken: it cannot be sent again. */
  get isStarted(): boolean {
    return this.source !== undefined
  }

  /** True when the other server has to wait for the client. */
  get awaitsClient(): boolean {
    return this.source !== undefined && !this.source.readableEnded && !this.source.isPaused() && !this.isPaused()
  }

  override _read(): void {
    if (this.source !== undefined) {
      this.source.resume()
      return
    }
    try {
      this.source = this.body.raw()
    } catch (cause) {
      this.destroy(cause as Error)
      return
    }
    this.source.on("data", this.onData).on("end", this.onEnd).on("close", this.onClose).on("error", this.onClose)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.source?.off("data", this.onData).off("end", this.onEnd).off("close", this.onClose).off("error", this.onClose)
    this.source?.pause()
    done(error)
  }

  private readonly onData = (chunk: Buffer): void => {
    this.size += chunk.length
    if (this.limit !== undefined && this.size > this.limit) this.fail(Failure.badRequest(tooLarge(this.limit)))
    else if (!this.push(chunk)) this.source?.pause()
  }

  private readonly onEnd = (): void => {
    this.push(null)
  }

  private readonly onClose = (): void => {
    if (this.source?.readableEnded !== true) this.fail(Failure.incomplete(new Error("The client has left")))
  }

  private fail(failure: Failure.Failure): void {
    this.failure = failure
    this.destroy(failure.error)
  }
}
