/**
 * From the path of a request to that of a file: what could lead elsewhere is no path at all.
 *
 * ```ts
 * parse("css/app%20one.css", false) // { segments: ["css", "app one.css"], isDirectory: false }
 * parse("../secret", false) // undefined, as for "a%2Fb", "a\\b", "a//b" and NUL
 * ```
 *
 * @spec RFC 3986 §3.3, §7.3; RFC 8615
 */

/** The names on the way to a file, and whether the path ends with a slash. */
export interface FilePath {
  readonly segments: ReadonlyArray<string>
  readonly isDirectory: boolean
}

/**
 * Reads a path without its first slash, as on the wire. Undefined for empty, "." and ".." segments, for names with a slash, a
 * backslash or NUL in them, for what is no UTF-8, and unless `dotfiles` for names that begin with a dot. A first ".well-known"
 * (RFC 8615) is there to be served.
 */
export const parse = (path: string, dotfiles: boolean): FilePath | undefined => {
  if (path === "") return { segments: [], isDirectory: true }
  const segments: Array<string> = []
  const all = path.split("/")
  const isDirectory = all.at(-1) === ""
  if (isDirectory) all.pop()
  for (const raw of all) {
    const name = decode(raw)
    if (name === undefined || !isName(name, dotfiles || (name === ".well-known" && segments.length === 0))) {
      return undefined
    }
    segments.push(name)
  }
  return { segments, isDirectory }
}

const decode = (raw: string): string | undefined => {
  if (!raw.includes("%")) return raw
  try {
    return decodeURIComponent(raw)
  } catch {
    return undefined
  }
}

/** Whether it can be the name of a file that is served. */
export const isName = (name: string, dotfiles: boolean): boolean =>
  name !== "" && name !== "." && name !== ".." && !/[/\\\0]/.test(name) && (dotfiles || name[0] !== ".")

// Streams, devices, short names and what Windows itself takes off the end: other names of a file, or of no file.
const windows = /[:*?"<>|]|[. ]$|~\d+(?:\.|$)|^(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(?:\.|$)/i

/** Whether a name means the same on the system whose real paths look as this one. */
export const isPlain = (name: string, realPath: string): boolean =>
  !/^[a-z]:|^\\/i.test(realPath) || !windows.test(name)

/** Whether a real path is the root or below it. */
export const isInside = (root: string, path: string): boolean => {
  if (!path.startsWith(root)) return false
  return path.length === root.length || /[/\\]$/.test(root) || /[/\\]/.test(path[root.length]!)
}

/** A path that is text already, as `parse` reads one from the wire. */
export const fromText = (path: string, dotfiles: boolean): FilePath | undefined =>
  parse(path.toWellFormed().split("/").map(encodeURIComponent).join("/"), dotfiles)

/** The path of a file as it is given to an option: of a `file:` URL its path. Throws a TypeError for another URL, and for none. */
export const fromOption = (path: string | URL): string => {
  if (typeof path === "string") {
    if (path === "") throw new TypeError(`"" is no path of a file: give one, from the working directory`)
    return path
  }
  if (path.protocol !== "file:") throw new TypeError(`"${path.href}" is no file: give a path, or a URL of "file:"`)
  const decoded = decodeURIComponent(path.pathname)
  return /^\/[a-z]:/i.test(decoded) ? decoded.slice(1) : decoded
}
