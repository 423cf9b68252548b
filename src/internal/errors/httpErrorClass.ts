/**
 * The class that every HTTP error is made by: a Schema error with a status and a response.
 *
 * ```ts
 * class Gone extends define<Gone>()("Gone", { status: 410 }) {}
 * ```
 *
 * The prototype is patched and not extended: classes made by Schema do not support plain `extends` between them.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import type { Respondable } from "effect/http/HttpServerRespondable"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Status from "../../http/Status.ts"
import { checked } from "../responses/responseHead.ts"

/** What marks an HTTP error at run time; its value is what the error is made of. */
export const symbol = "~effect-web/HttpError"

/** What every HTTP error has: literal `status`, `title` (the reason phrase), and how it looks on the wire. */
export interface HttpError<Status extends number = number> extends Cause.YieldableError, Respondable {
  readonly status: Status
  readonly title: string
  readonly text?: string
  readonly headers?: { readonly [name: string]: string }
  readonly cookies?: Cookies.Cookies
  readonly [symbol]: {
    /** The headers of the answer: those of the class, then those given to the error. */
    readonly headers: () => Readonly<Record<string, string>>
    /** The declared fields, encoded to JSON; members of the problem details. */
    readonly members: () => Effect.Effect<Readonly<Record<string, unknown>>>
  }
}

// A field that stays in the process: encoding an error by its class, as HttpApi does, leaves it out.
const local = <S extends Schema.Constraint>(schema: S) =>
  Schema.optionalKey(Schema.Unknown).pipe(
    Schema.decodeTo(Schema.optionalKey(schema), { decode: SchemaGetter.omit(), encode: SchemaGetter.omit() })
  )

const common = {
  text: Schema.optionalKey(Schema.String),
  headers: local(Schema.Record(Schema.String, Schema.String)),
  cookies: local(Schema.declare(Cookies.isCookies)),
  cause: local(Schema.Unknown)
}

// What every error is made of, and the members of the problem details that are not fields (RFC 9457 §3.1).
/** The names that every error or its problem details have already. */
type Reserved =
  | keyof Common
  | "_tag"
  | "type"
  | "title"
  | "status"
  | "detail"
  | "instance"
  | "message"
  | "name"
  | "stack"

const reserved: ReadonlySet<string> = new Set([
  ...Object.keys(common),
  ...["_tag", "type", "title", "status", "detail", "instance", "message", "name", "stack", "__proto__"]
])

/** The fields of every HTTP error: `text` for the client, `headers` and `cookies` of the answer, `cause` for the log. */
export type Common = typeof common

/** The class of an HTTP error: a Schema class that knows its status. */
export interface Class<Self, Tag extends string, Status extends number, Fields extends Schema.Struct.Fields>
  extends Schema.Class<Self, Schema.TaggedStruct<Tag, Fields & Common>, HttpError<Status>> {
  readonly status: Status
}

/**
 * Makes a tagged error class that knows its response. `headers` derives headers from the error; fields named in `hidden`
 * stay out of the body. The other fields become members of the problem details, encoded to JSON by their schemas.
 *
 * @source aiohttp.web.HTTPException (subclassing)
 * @spec RFC 9457 §3.2
 */
export const define =
  <Self = never>() =>
  <const Tag extends string, const Status extends number, const Fields extends Schema.Struct.Fields = {}>(
    tag: Tag,
    options: {
      readonly status: Status
      readonly headers?: (error: Schema.Struct.Type<Fields>) => Readonly<Record<string, string>>
      readonly hidden?: ReadonlyArray<keyof Fields & string>
    },
    fields?: Fields & { readonly [K in Extract<keyof Fields, Reserved>]: never }
  ): [Self] extends [never]
    ? "Missing `Self`: class X extends HttpError.define<X>()(...)"
    : Class<Self, Tag, Status, Fields> => {
    if (!Number.isInteger(options.status) || options.status < 400 || options.status > 599) {
      throw new TypeError(
        `HttpError.define("${tag}"): status ${options.status} is no error; use 400 to 599, or Redirect`
      )
    }
    const declared: Schema.Struct.Fields = fields ?? {}
    const taken = Object.keys(declared).find((name) => reserved.has(name))
    if (taken !== undefined) {
      throw new TypeError(`HttpError.define("${tag}"): every error has "${taken}" already; give the field another name`)
    }
    // The Self of the caller cannot be named inside; the return type states what is built.
    const Base = Schema.TaggedError<never>()(tag, { ...declared, ...common } as Schema.Struct.Fields, {
      httpApiStatus: options.status
    }) as unknown as { readonly prototype: object }
    const visible = Object.entries(declared).filter(([name]) => !options.hidden?.includes(name))
    const encode = visible.length === 0 ? undefined : encoder(Object.fromEntries(visible))
    type Instance = HttpError & Schema.Struct.Type<Fields>
    Object.defineProperties(Base, { status: { value: options.status } })
    Object.defineProperties(Base.prototype, {
      status: { value: options.status },
      title: { value: Status.reason(options.status) },
      message: {
        get(this: Instance) {
          return this.text ?? `${options.status} ${this.title}`.trimEnd()
        }
      },
      [ErrorReporter.ignore]: { value: options.status < 500 },
      [symbol]: {
        get(this: Instance): HttpError[typeof symbol] {
          return {
            headers: () => ({ ...options.headers?.(this), ...this.headers }),
            members: () => (encode === undefined ? Effect.succeed({}) : encode(this))
          }
        }
      },
      [HttpServerRespondable.symbol]: {
        value(this: Instance) {
          return toProblem(this)
        }
      }
    })
    return Base as never
  }

const encoder = (fields: Schema.Struct.Fields) => {
  const encode = Schema.encodeUnknownEffect(Schema.toCodecJson(Schema.Struct(fields)))
  return (error: object) =>
    Effect.catchEager(encode({ ...error }), Effect.die) as Effect.Effect<Readonly<Record<string, unknown>>>
}

/** The problem details of an error (RFC 9457): `title`, `status`, `detail` from `text`, the tag, and the fields. */
export const problem = (error: HttpError & { readonly _tag?: string }): Effect.Effect<Record<string, unknown>> =>
  Effect.mapEager(error[symbol].members(), (members) => ({
    type: "about:blank",
    title: error.title || undefined,
    status: error.status,
    ...(error.text === undefined ? undefined : { detail: error.text }),
    ...members,
    _tag: error._tag
  }))

/** The answer to an error in `application/problem+json`, with its headers and cookies; `requestId` is a member of it (RFC 9457 §3.2). */
export const toProblem = (error: HttpError, requestId?: string): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  // Suspended: a header that cannot be written is a defect of the effect, and does not throw into who asks for it.
  Effect.suspend(() =>
    Effect.mapEager(problem(error), (members) => {
      const { status } = error
      const body = requestId === undefined ? members : { requestId, ...members }
      return decorate(error, HttpServerResponse.jsonUnsafe(body, { status, contentType: "application/problem+json" }))
    })
  )

// The body is the renderer's, and so is what describes it.
const ofBody = ["content-encoding", "content-length", "content-type", "transfer-encoding"]

/**
 * Puts the headers and the cookies of an error onto a response, or only those that are missing. A header that cannot be written
 * throws a TypeError.
 */
export const decorate = (
  error: HttpError,
  response: HttpServerResponse.HttpServerResponse,
  which: "all" | "missing" = "all"
): HttpServerResponse.HttpServerResponse => {
  const own = Headers.removeMany(Headers.fromInput(error[symbol].headers()), ofBody)
  const added = which === "all" ? own : Headers.removeMany(own, Object.keys(response.headers))
  const decorated = isEmpty(added) ? response : checked(HttpServerResponse.setHeaders(response, added))
  return error.cookies === undefined ? decorated : HttpServerResponse.mergeCookies(decorated, error.cookies)
}

const isEmpty = (headers: Headers.Headers): boolean => {
  for (const _ in headers) return false
  return true
}
