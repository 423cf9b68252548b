/**
 * The page that lists a directory.
 *
 * ```ts
 * page("/static/photos/", false, [{ name: "2026", isDirectory: true }])
 * ```
 *
 * @source aiohttp.web_urldispatcher.StaticResource
 */
import { type Html, html } from "../../Html.ts"

/** A name in a directory. */
export interface Entry {
  readonly name: string
  readonly isDirectory: boolean
}

/** The page: directories first, then files, each by name. `path` is that of the request, decoded; the root has no way up. */
export const page = (path: string, isRoot: boolean, entries: ReadonlyArray<Entry>): Html => {
  const sorted = entries.toSorted(
    (left, right) =>
      Number(right.isDirectory) - Number(left.isDirectory) ||
      (left.name < right.name ? -1 : Number(left.name > right.name))
  )
  const title = `Index of ${path}`
  const names = sorted.map((entry) => (entry.isDirectory ? `${entry.name}/` : entry.name))
  return html`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<h1>${title}</h1>
<ul>
${isRoot ? "" : html`<li><a href="../">../</a>\n`}${names.map((name) => html`<li><a href="./${encode(name)}">${name}</a>\n`)}</ul>
</html>
`
}

const encode = (name: string): string => name.toWellFormed().split("/").map(encodeURIComponent).join("/")
