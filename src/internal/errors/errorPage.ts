/**
 * Pages for failures: one for production, that says what the client may know, and one for development, that says all.
 *
 * ```ts
 * plain(new HttpError.NotFound({ text: "No such user" })) // <!doctype html>...<h1>404 Not Found</h1><p>No such user</p>
 * ```
 *
 * Both are self-contained and escaped: nothing is loaded, and nothing in them runs.
 */
import * as Cause from "effect/Cause"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { type Html, html, raw } from "../../Html.ts"
import type { HttpError } from "../../HttpError.ts"
import { redactQuery } from "../accessLog/redaction.ts"
import * as Nonce from "../security/contentNonce.ts"

/** The text of a source file by its path, or undefined where there is none. */
export type ReadSource = (path: string) => string | undefined

const name = ({ status, title }: HttpError): string => `${status} ${title}`.trimEnd()

const page = (title: string, head: Html | undefined, body: Html): Html =>
  html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>${head}</head>
<body>${body}</body>
</html>
`

/** The status, its title and the text of an error, and the id of its request. */
export const plain = (error: HttpError, requestId: string | undefined): Html =>
  page(
    name(error),
    undefined,
    html`<h1>${name(error)}</h1>${error.text !== undefined && html`<p>${error.text}</p>`}${
      requestId !== undefined && html`<p>Request <code>${requestId}</code></p>`
    }`
  )

const style = raw(`
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
section section { border-left: 3px solid #bbb; padding-left: 1rem }
pre { overflow-x: auto; background: #f4f4f4; padding: .5rem } mark { display: block; background: #ffd7d7 }
`)

// A Content-Security-Policy takes no other style
const styled = (nonce: string | undefined): Html =>
  nonce === undefined ? html`<style>${style}</style>` : html`<style nonce="${nonce}">${style}</style>`

/** Everything about a failure: each error of its cause with the errors that caused it, their frames, spans and sources. */
export const detailed = (
  failure: {
    readonly error: HttpError
    readonly request: HttpServerRequest | undefined
    readonly cause: Cause.Cause<unknown>
  },
  readSource: ReadSource | undefined
): Html => {
  const { cause, error, request } = failure
  const errors = Cause.prettyErrors(cause)
  return page(
    `${name(error)}: ${errors[0]?.message ?? ""}`,
    styled(Nonce.ifWanted(request)),
    html`<h1>${name(error)}</h1>${request !== undefined && html`<p><code>${request.method} ${shown(request.url)}</code></p>`}
${errors.map((error) => section(error, readSource))}
<details><summary>The whole cause</summary><pre>${Cause.pretty(cause)}</pre></details>`
  )
}

// A page may be sent on, to who helps
const shown = redactQuery(undefined)

const section = (error: Error, readSource: ReadSource | undefined): Html =>
  html`<section><h2>${error.name}</h2><pre>${error.message}</pre><ol>${frames(error).map((frame) => line(frame, readSource))}</ol>
${error.cause instanceof Error && html`<p>Caused by</p>${section(error.cause, readSource)}`}</section>`

interface Frame {
  /** A function, or the name of a span. */
  readonly name: string
  readonly place: { readonly path: string; readonly line: number; readonly column: number } | undefined
}

// Only what follows the message: a message may look like frames, and would have us read any file.
const frames = ({ message, name, stack }: Error): ReadonlyArray<Frame> => {
  const head = `${name}: ${message}`
  return (stack?.startsWith(head) ? stack.slice(head.length) : "")
    .split("\n")
    .map((line) => /^ *at (.*)$/.exec(line)?.[1])
    .filter((text) => text !== undefined)
    .map(parse)
}

const parse = (text: string): Frame => {
  const [, name, path, line, column] = /^(?:(.*) \()?(.+?):(\d+):(\d+)\)?$/.exec(text) ?? []
  if (path === undefined) return { name: text, place: undefined }
  return { name: name ?? "", place: { path: toPath(path), line: Number(line), column: Number(column) } }
}

const toPath = (location: string): string => {
  const url = location.startsWith("file:") ? URL.parse(location) : null
  // A drive of Windows: /C:/app.ts
  return url === null ? location : decodeURIComponent(url.pathname).replace(/^\/(?=[A-Za-z]:)/, "")
}

const line = ({ name, place }: Frame, readSource: ReadSource | undefined): Html =>
  place === undefined
    ? html`<li><code>${name}</code></li>`
    : html`<li><code>${name} ${place.path}:${place.line}:${place.column}</code>${excerpt(place, readSource)}</li>`

const around = 3

// Sources of Node itself and of dependencies are not shown.
const excerpt = ({ line, path }: NonNullable<Frame["place"]>, readSource: ReadSource | undefined): Html | undefined => {
  if (readSource === undefined || path.startsWith("node:") || /[/\\]node_modules[/\\]/.test(path)) return undefined
  const lines = readSource(path)?.split("\n")
  if (lines === undefined || line < 1 || line > lines.length) return undefined
  const from = Math.max(0, line - 1 - around)
  const shown = lines.slice(from, line + around).map((text, index) => {
    const number = from + index + 1
    const numbered = `${String(number).padStart(5)} ${text}`
    return number === line ? html`<mark>${numbered}</mark>` : html`${numbered}\n`
  })
  return html`<pre>${shown}</pre>`
}
