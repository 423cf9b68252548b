/**
 * Answers a request with a file below a root, its index, its listing, or its fallback.
 *
 * ```ts
 * Effect.withFiber((fiber) => serve(root, fiber))
 * ```
 *
 * @source aiohttp.web_urldispatcher.StaticResource._handle
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Glob from "effect/Glob"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Base from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import * as Html from "../../Html.ts"
import * as HttpError from "../../HttpError.ts"
import * as Accept from "../../http/Accept.ts"
import * as Pattern from "../../http/Pattern.ts"
import * as target from "../requests/target.ts"
import * as Caching from "./caching.ts"
import { FileFailure, toHttpError } from "./failure.ts"
import { Files } from "./files.ts"
import * as Listing from "./listing.ts"
import * as FilePath from "./path.ts"
import { type Failure, respond } from "./response.ts"
import * as Static from "./staticRequest.ts"
import * as Root from "./staticRoot.ts"
import * as FileStore from "./store.ts"

type Response = HttpServerResponse
type Answer = Effect.Effect<Response, Failure | FileFailure, Scope.Scope>

interface Asked {
  readonly root: Root.Root
  readonly request: HttpServerRequest
  readonly files: Files
}

const allowed = ["GET", "HEAD", "OPTIONS"]

/** The answer. */
export const serve = (
  root: Root.Root,
  fiber: Fiber.Fiber<unknown, unknown>
): Effect.Effect<Response, Failure | HttpError.MethodNotAllowed, Scope.Scope> => {
  const request = Context.getUnsafe(fiber.context, HttpServerRequest)
  const { method } = request
  if (method === "OPTIONS") return Exit.succeed(Base.empty({ status: 204, headers: { allow: allowed.join(", ") } }))
  if (method !== "GET" && method !== "HEAD") return Effect.fail(new HttpError.MethodNotAllowed({ method, allowed }))
  const asked = { root, request, files: fiber.getRef(Files) }
  const path = FilePath.parse(Static.pathOf(request, fiber.context), root.dotfiles)
  const answer = path === undefined ? missing(asked, undefined) : answerOf(asked, path)
  return Effect.catchEager(answer, (error) => (error instanceof FileFailure ? toHttpError(error) : Effect.fail(error)))
}

const answerOf = (asked: Asked, { isDirectory, segments }: FilePath.FilePath): Answer => {
  const { files, request, root } = asked
  const key = segments.join("/")
  // A mount's own path comes as "/", with the slash or without.
  if (isDirectory) return directory(asked, key, key === "" && Static.lacksSlash(request))
  const wanted = Root.wantedOf(root, files, key)
  const found = Effect.catchEager(FileStore.find(root.store, files, wanted), absent)
  return Effect.flatMapEager(found, (file): Answer => {
    if (file === undefined) return missing(asked, key)
    if (file === "directory") return directory(asked, key, true)
    return file === "other" ? Effect.fail(irregular) : send(asked, wanted, file)
  })
}

const irregular = new FileFailure("Forbidden", undefined)

// What is not there is undefined, to be answered by something else.
const absent = (failure: FileFailure): Effect.Effect<undefined, FileFailure> =>
  failure.reason === "NotFound" ? Exit.succeed(undefined) : Effect.fail(failure)

const send = ({ files, request, root }: Asked, wanted: FileStore.Wanted, original: FileStore.StoredFile): Answer => {
  const chosen = root.choose(request.headers["accept-encoding"], root.store, files, wanted, original)
  const answer = Effect.flatMapEager(chosen, (file) => respond(request, files, file))
  const asked = Static.versionOf(request)
  if (asked === undefined) return answer
  return Effect.flatMapEager(Root.version(files, original), (version) =>
    version === asked ? Effect.map(answer, Base.setHeader("cache-control", Caching.immutable)) : answer
  )
}

// Its index, its listing; else what is answered where nothing is. Without the slash, relative links would not work.
const directory = (asked: Asked, key: string, lacksSlash: boolean): Answer => {
  const { files, request, root } = asked
  const found: Effect.Effect<FileStore.Found | undefined, FileFailure> =
    root.index === undefined
      ? Exit.succeed(undefined)
      : Effect.catchEager(FileStore.find(root.store, files, indexOf(asked, key)), absent)
  return Effect.flatMapEager(found, (file): Answer => {
    if (file === undefined || typeof file === "string") return listing(asked, key, lacksSlash)
    return lacksSlash ? slashed(request) : send(asked, indexOf(asked, key), file)
  })
}

const indexOf = ({ files, root }: Asked, key: string): FileStore.Wanted =>
  Root.wantedOf(root, files, key === "" ? root.index! : `${key}/${root.index}`)

const slashed = (request: HttpServerRequest): Effect.Effect<Response> =>
  Exit.succeed(Base.empty({ status: 301, headers: { location: Static.withSlash(request), "content-length": "0" } }))

const listing = Effect.fnUntraced(function* (
  asked: Asked,
  key: string,
  lacksSlash: boolean
): Effect.fn.Return<Response, Failure | FileFailure, Scope.Scope> {
  const { files, request, root } = asked
  const known = Effect.tap(files.stat(Root.pathOf(root, key)), () => Root.inside(root, files, key))
  const info = yield* Effect.catch(known, absent)
  if (info?.kind !== "directory") return yield* missing(asked, key)
  if (!root.listing) return yield* fallback(asked, key) ?? Effect.fail(irregular)
  if (lacksSlash) return yield* slashed(request)
  const entries: Array<Listing.Entry> = []
  for (const { kind, name } of yield* files.list(Root.pathOf(root, key))) {
    if (!FilePath.isName(name, root.dotfiles)) continue
    const below = key === "" ? name : `${key}/${name}`
    const found = kind === "link" ? yield* linked(asked, below) : kind
    if (found === "file" || found === "directory") entries.push({ name, isDirectory: found === "directory" })
  }
  const title = Pattern.decodeValue(Pattern.decode(target.split(request.originalUrl).path) ?? "/")
  const page = Html.toString(Listing.page(title, key === "", entries))
  return Base.text(page, { contentType: "text/html; charset=utf-8", headers: { "cache-control": Caching.usual } })
})

// Links that would not be followed are not shown.
const linked = ({ files, root }: Asked, key: string): Effect.Effect<"file" | "directory" | "other"> => {
  const info = Effect.andThen(Root.inside(root, files, key), files.stat(Root.pathOf(root, key)))
  return Effect.catch(
    Effect.map(info, ({ kind }) => kind),
    () => Effect.succeed("other" as const)
  )
}

const missing = (asked: Asked, key: string | undefined): Answer =>
  fallback(asked, key) ?? Effect.andThen(Root.check(asked.root, asked.files), Effect.fail(nothing))

const nothing = new FileFailure("NotFound", undefined)

// For pages of an app that finds its way itself: never for its data, its pictures and its scripts.
const fallback = (asked: Asked, key: string | undefined): Answer | undefined => {
  const { files, request, root } = asked
  if (root.fallback === undefined || key === undefined || !wantsHtml(request.headers.accept)) return undefined
  if (key.slice(key.lastIndexOf("/") + 1).includes(".")) return undefined
  if (root.fallback.exclude.some((glob) => Glob.match(glob, key))) return undefined
  const wanted = Root.wantedOf(root, files, root.fallback.segments.join("/"))
  return Effect.flatMapEager(FileStore.find(root.store, files, wanted), (file) =>
    typeof file === "string" ? Effect.fail(nothing) : Effect.map(send(asked, wanted, file), varied)
  )
}

// By its name: "*/*" is what scripts send.
const wantsHtml = (accept: string | undefined): boolean =>
  accept !== undefined && /text\/(?:html|\*)/i.test(accept) && Accept.mediaType(accept, ["text/html"]) !== undefined

const varied = (response: Response): Response =>
  Base.setHeader(response, "vary", response.headers.vary === undefined ? "Accept" : `${response.headers.vary}, Accept`)
