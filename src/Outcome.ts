/**
 * How a request ended: decided once, when the last byte of the answer has left or the connection is lost.
 *
 * ```ts
 * const failures = AccessLog.make({ skip: [(outcome) => outcome.result === "completed"] })
 * const line: AccessLog.Format = ({ outcome }) => `${outcome.result} ${outcome.status} ${outcome.bodyBytes}`
 * ```
 *
 * The server decides it for every request, 404 and malformed ones too. Under other engines, as `App.toWebHandler`, it is an
 * approximation: the end is that of the body's stream, and the head is not counted.
 *
 * @source aiohttp.abc.AbstractAccessLogger.log
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"

/**
 * - `completed`: the whole answer left, whatever its status
 * - `failed`: the handler failed, and the error was the answer; `error` is its tag. Or a stream failed behind the head
 * - `defect`: something died; the answer was a 500, or broke off
 * - `timedOut`: the request did not arrive in time (408), or the answer took longer than its `Deadline`
 * - `clientAborted`: the client left before it had the whole answer
 * - `shed`: it was refused, for there was too much to do: by `Overload`, or by `Route.concurrency`
 * - `drained`: the server stopped, and what still ran was interrupted
 */
export type Result = "completed" | "failed" | "defect" | "timedOut" | "clientAborted" | "shed" | "drained"

/** What became of a request. */
export interface Outcome {
  readonly result: Result
  /** The tag of the error that was answered: "NotFound". */
  readonly error: string | undefined
  /** Of the head that left. Without one: 499 when the client left, 503 when the server stopped, 500 otherwise. */
  readonly status: number
  /** The bytes that left, the head and the framing of chunks included; after a 101 those of the other protocol too. */
  readonly bytes: number
  /** The bytes of the content that left. */
  readonly bodyBytes: number
  /** When the request was taken up; in a pipeline that is when its turn came. */
  readonly startTime: DateTime.Utc
  /** From then to the end. */
  readonly duration: Duration.Duration
  /** "" for what never became a request, as `url` and `httpVersion`. */
  readonly method: string
  /** As on the wire, with the query. It may hold secrets. */
  readonly url: string
  /** "1.1" or "1.0". */
  readonly httpVersion: string
  readonly remoteAddress: string | undefined
  /** The name of the route, "admin.user"; undefined when none fits. */
  readonly route: string | undefined
  /** Its pattern, "/users/{id}". */
  readonly pattern: string | undefined
  /** What `RequestId` calls the request. */
  readonly requestId: string | undefined
  /** What was spoken after a 101: "websocket". */
  readonly protocol: string | undefined
  /** More, from whoever took the connection over: what a WebSocket has sent and received. */
  readonly fields: Readonly<Record<string, unknown>>
  /** The value of a header of the request; names in lower case. */
  readonly requestHeader: (name: string) => string | undefined
  /** The value of a header of the answer, as it left. */
  readonly responseHeader: (name: string) => string | undefined
}
