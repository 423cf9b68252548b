/**
 * The one renderer of all failures: what a client gets for any Cause, and what is logged of it.
 *
 * ```ts
 * App.make(routes, { errorResponse: ErrorResponse.development({ readSource }) })
 * App.make(routes, { errorResponse: ErrorResponse.html(({ error }) => html`<h1>${error.title}</h1>`) })
 * ErrorResponse.byStatus(404, { text: "Nothing here" }) // a NotFound
 * ```
 *
 * By `Accept`: `application/problem+json` (also where nothing is said, or nothing fits: an error is never a 406), HTML, or text.
 * Unlike aiohttp, whose errors are text, and whose uncaught ones show their traceback in debug mode to anyone.
 *
 * @source aiohttp.web_protocol.RequestHandler.handle_error
 * @spec RFC 9457; RFC 9110 §12.5.1, §15.5, §15.6
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Cookies from "effect/http/Cookies"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Html } from "./Html.ts"
import * as HttpError from "./HttpError.ts"
import * as Accept from "./http/Accept.ts"
import * as ErrorPage from "./internal/errors/errorPage.ts"
import * as FailureLog from "./internal/errors/failureLog.ts"
import { decorate, toProblem } from "./internal/errors/httpErrorClass.ts"
import * as Exchange from "./internal/exchange/exchange.ts"
import * as Response from "./Response.ts"

/** What is to be rendered. `cause` is there for statuses of 500 and above only, and never for the client. */
export interface Failure {
  readonly error: HttpError.HttpError
  readonly request: HttpServerRequest | undefined
  readonly cause: Cause.Cause<unknown> | undefined
}

/**
 * Makes the response to a failure; the headers and cookies of the error are put onto it. When it dies, that is logged and `render`
 * answers with a 500.
 */
export type Renderer = (failure: Failure) => Effect.Effect<HttpServerResponse.HttpServerResponse>

/** The answer to a Cause: an error to be rendered, or a response that is ready. */
export interface Answer {
  readonly answer: HttpError.HttpError | HttpServerResponse.HttpServerResponse
  /** Something died, or failed with what knows no response. */
  readonly defect: boolean
  /** Nothing failed: the handler was interrupted. */
  readonly interrupted: boolean
}

const offers = ["application/problem+json", "application/json", "text/html", "text/plain"]

const preferred = (request: HttpServerRequest | undefined): string | undefined =>
  Accept.mediaType(request?.headers.accept, offers)

/** Renders by the request's `Accept`, with `Vary: Accept`, and with the id that RequestId gave. The cause stays inside. */
export const render: Renderer = ({ error, request }) => {
  const { status, text, title } = error
  const requestId = Exchange.peek(request)?.requestId
  switch (preferred(request)) {
    case "text/html":
      return Effect.sync(() => varied(decorate(error, Response.html(ErrorPage.plain(error, requestId), { status }))))
    case "text/plain": {
      const line = title === "" ? String(status) : `${status}: ${title}`
      const body = [line, text, requestId && `Request ${requestId}`].filter((line) => line !== undefined).join("\n")
      return Effect.sync(() => varied(decorate(error, Response.text(body, { status }))))
    }
    default:
      return Effect.mapEager(toProblem(error, requestId), varied)
  }
}

const varied = Response.vary("Accept")

/** As `render`, but with pages of your own for whoever prefers HTML. */
export const html =
  (page: (failure: Failure) => Html): Renderer =>
  (failure) =>
    preferred(failure.request) === "text/html"
      ? Effect.sync(() => varied(Response.html(page(failure), { status: failure.error.status })))
      : render(failure)

/**
 * As `render`, but whoever prefers HTML gets the whole cause of a 500: messages, stacks, spans, and with `readSource` the source
 * around each frame. Never in production: it shows what the client must not know.
 */
export const development =
  (options?: { readonly readSource?: (path: string) => string | undefined }): Renderer =>
  (failure) => {
    const { cause, error, request } = failure
    if (error.status < 500 || cause === undefined || preferred(request) !== "text/html") return render(failure)
    return Effect.sync(() => {
      const page = ErrorPage.detailed({ error, request, cause }, options?.readSource)
      return varied(decorate(error, Response.html(page, { status: error.status })))
    })
  }

/**
 * The answer to any Cause: that of the first failure; else of the first defect; else, when it was only interrupted, a 503.
 * Errors that know their response give it; where that has no body, as with Effect's own errors, its status is rendered instead.
 * A failure or defect that knows none is a 500.
 */
export const fromCause = (cause: Cause.Cause<unknown>): Effect.Effect<Answer> => {
  const failed = cause.reasons.find(Cause.isFailReason)
  const died = cause.reasons.find(Cause.isDieReason)
  const defect = cause.reasons.some((reason) => reason._tag === "Die" && !isAnswerable(reason.defect))
  if (failed !== undefined) return answerOf(failed.error, defect)
  if (died !== undefined) return answerOf(died.defect, defect)
  if (cause.reasons.length === 0) return unexpected
  return Effect.succeed({ answer: new HttpError.ServiceUnavailable(), defect: false, interrupted: true })
}

/** The error of a status from 400 to 599: its class of HttpError, or one of its own where that class needs more to be made. */
export const byStatus = (
  status: number,
  options?: {
    readonly text?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly cookies?: Cookies.Cookies
    readonly cause?: unknown
  }
): HttpError.HttpError => {
  const found = classes.get(status) ?? unregistered(status)
  classes.set(status, found)
  return new found(options)
}

/**
 * Answers a Cause with a renderer, and logs it: defects always, failures of 500 and above, and a 4xx that has a cause. A 502, 503
 * and 504 are warnings: they are another server's doing.
 */
export const answer = (
  cause: Cause.Cause<unknown>,
  request: HttpServerRequest | undefined,
  renderer: Renderer
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.flatMapEager(fromCause(cause), (found) => {
    FailureLog.note(found, cause, request)
    const response = respond(found, cause, request, renderer)
    const logged = FailureLog.log(found, cause)
    if (logged === undefined) return response
    return Effect.andThen(FailureLog.annotated(logged, request), response)
  })

const respond = (
  { answer }: Answer,
  cause: Cause.Cause<unknown>,
  request: HttpServerRequest | undefined,
  renderer: Renderer
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  if (!HttpError.isHttpError(answer)) return Effect.succeed(answer)
  const failure = { error: answer, request, cause: answer.status >= 500 ? cause : undefined }
  return Effect.catchCause(
    Effect.map(
      Effect.suspend(() => renderer(failure)),
      (response) => decorate(answer, response, "missing")
    ),
    (cause) =>
      Effect.andThen(
        FailureLog.annotated(Effect.logError("The error response died", cause), request),
        Effect.suspend(() => render({ error: new HttpError.InternalServerError(), request, cause }))
      )
  )
}

const isAnswerable = (u: unknown): boolean =>
  HttpServerResponse.isHttpServerResponse(u) || HttpServerRespondable.isRespondable(u)

const unexpected = Effect.sync(
  (): Answer => ({ answer: new HttpError.InternalServerError(), defect: true, interrupted: false })
)

const answerOf = (u: unknown, defect: boolean): Effect.Effect<Answer> => {
  if (HttpError.isHttpError(u) || HttpServerResponse.isHttpServerResponse(u)) {
    return Effect.succeed({ answer: u, defect, interrupted: false })
  }
  if (!HttpServerRespondable.isRespondable(u)) return unexpected
  return Effect.suspend(() => u[HttpServerRespondable.symbol]()).pipe(
    Effect.map((response) => ({ answer: withBody(response, u), defect, interrupted: false })),
    Effect.catchCause(() => unexpected)
  )
}

// Effect's own errors answer with a bare status. One of ours inside them knows more: that of a body over the limit.
const withBody = (response: HttpServerResponse.HttpServerResponse, u: object): Answer["answer"] => {
  const { body, cookies, headers, status } = response
  if (status < 400 || status > 599 || (body._tag !== "Empty" && body.contentLength !== 0)) return response
  const own = FailureLog.causeOf(u)
  let cause = own
  for (let depth = 0; depth < 8 && cause !== undefined; depth++, cause = FailureLog.causeOf(cause)) {
    if (HttpError.isHttpError(cause)) return cause
  }
  return byStatus(status, { headers: { ...headers }, cookies, ...(own === undefined ? undefined : { cause: own }) })
}

type ErrorClass = new (options?: Parameters<typeof byStatus>[1]) => HttpError.HttpError

// MethodNotAllowed and UpgradeRequired cannot be made without their fields.
const needy: ReadonlySet<number> = new Set([405, 426])

const classes = new Map(
  Object.values(HttpError)
    .filter((value): value is typeof HttpError.NotFound => "status" in value && !needy.has(value.status))
    .map((value): [number, ErrorClass] => [value.status, value])
)

const unregistered = (status: number): ErrorClass => {
  class Unregistered extends HttpError.define<Unregistered>()(`Status${status}`, { status }) {}
  return Unregistered
}
