/**
 * Path patterns: literals, `{name}` for one non-empty segment, `{name:regex}` for anything, several in a segment.
 *
 * ```ts
 * Pattern.parse("/{year:\\d{4}}/{name}.{ext}")
 * Pattern.parse("/files/{path:.*}") // catch-all
 * type Names = Pattern.ParamName<"/{year:\\d{4}}/{name}.{ext}"> // "year" | "name" | "ext"
 * ```
 *
 * A pattern starts with "/" or is "" (the prefix of a mounted app itself). Names are `[_a-zA-Z][_a-zA-Z0-9]*`. Braces in a
 * regex are balanced or escaped; it is compiled with the flag `u` and has to match its whole part of the decoded path.
 *
 * @source aiohttp.web.DynamicResource
 * @spec RFC 3986 §3.3
 */

/** The names of a pattern's parameters, read from its literal type; `string` when the path is not a literal. */
export type ParamName<Path extends string> = string extends Path ? string : Names<Path>

type Names<Path extends string> = Path extends `${string}{${infer Rest}` ? NameThen<Rest> : never

// The parameter ends at the first "}" or ":"; after a ":" the regex is skipped with its balanced braces.
type NameThen<Rest extends string> = Rest extends `${infer Name}}${infer Tail}`
  ? Name extends `${infer Id}:${string}`
    ? Id | (Rest extends `${Id}:${infer Regex}` ? Names<Skip<Regex, []>> : never)
    : Name | Names<Tail>
  : never

// What follows the "}" that closes the parameter; Depth counts the braces opened in the regex. `\{` and `\}` do not count.
type Skip<Text extends string, Depth extends ReadonlyArray<unknown>> = Text extends `${infer Head}}${infer Tail}`
  ? Head extends `${infer Before}\\`
    ? Skip<Tail, Opened<Before, Depth>>
    : Closed<Tail, Opened<Head, Depth>>
  : ""
type Closed<Tail extends string, Depth extends ReadonlyArray<unknown>> = Depth extends readonly [unknown, ...infer Less]
  ? Skip<Tail, Less>
  : Tail
type Opened<Text extends string, Depth extends ReadonlyArray<unknown>> = Text extends `${infer Before}{${infer After}`
  ? Before extends `${string}\\`
    ? Opened<After, Depth>
    : Opened<After, [...Depth, unknown]>
  : Depth

/** A literal text, or a parameter; `regex` is undefined for one non-empty segment (`{name}`). */
export type Part = string | { readonly name: string; readonly regex: string | undefined }

/** A parsed pattern. `fixed` is its text when it has no parameters. */
export interface Pattern {
  readonly path: string
  readonly parts: ReadonlyArray<Part>
  readonly names: ReadonlyArray<string>
  readonly fixed: string | undefined
}

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/

/** Parses a pattern. Throws a TypeError that says what is wrong and how to mend it. */
export const parse = (path: string): Pattern => {
  const bad = (reason: string) => new TypeError(`Bad pattern "${path}": ${reason}`)
  if (path !== "" && !path.startsWith("/")) throw bad(`it has to start with "/": write "/${path}"`)
  const parts: Array<Part> = []
  const names: Array<string> = []
  const literal = (text: string) => {
    if (text === "") return
    if (text.includes("}")) throw bad(`a "}" has no "{" before it`)
    if (/[?#]/.test(text)) throw bad(`a pattern is a path; declare the query in the route, not "?" or "#"`)
    const decoded = decode(text)
    if (decoded === undefined) throw bad(`"${text}" is not valid percent-encoding`)
    parts.push(decoded)
  }
  let at = 0
  for (let open = path.indexOf("{"); open !== -1; open = path.indexOf("{", at)) {
    literal(path.slice(at, open))
    const close = closing(path, open)
    if (close === -1) throw bad(`the "{" at ${open} is not closed; write "\\{" for a brace in a regex`)
    const [name = "", regex] = split(path.slice(open + 1, close))
    if (!identifier.test(name)) throw bad(`"${name}" is no parameter name; use letters, digits and "_"`)
    if (names.includes(name)) throw bad(`the parameter "${name}" is there twice; give each its own name`)
    if (regex === "") throw bad(`the regex of "${name}" is empty; write {${name}} for one segment`)
    if (regex !== undefined) check(regex, (reason) => bad(`the regex of "${name}" is invalid: ${reason}`))
    names.push(name)
    parts.push({ name, regex })
    at = close + 1
  }
  literal(path.slice(at))
  return { path, parts, names, fixed: names.length === 0 ? (parts as ReadonlyArray<string>).join("") : undefined }
}

/** One pattern after the other: the prefix of a mount, then a route. Throws on a parameter that is in both. */
export const join = (prefix: Pattern, pattern: Pattern): Pattern =>
  prefix.path === "" ? pattern : parse(prefix.path + pattern.path)

/**
 * Decodes a path once: percent-encoded UTF-8 becomes text, but `%2F` and `%25` stay (in upper case) until after the match,
 * so an encoded slash never splits a segment. Malformed encoding gives undefined (answered with 400).
 */
export const decode = (path: string): string | undefined => {
  if (!path.includes("%")) return path
  try {
    return path
      .split(/(%2f|%25)/i)
      .map((piece, index) => (index % 2 === 1 ? piece.toUpperCase() : decodeURIComponent(piece)))
      .join("")
  } catch {
    return undefined
  }
}

/** The value of a parameter after the match: the kept `%2F` and `%25` become "/" and "%". */
export const decodeValue = (value: string): string =>
  value.includes("%") ? value.replace(/%2F|%25/g, (kept) => (kept === "%2F" ? "/" : "%")) : value

/** The path with values in place of the parameters, percent-encoded. Throws when a value is missing or would not match. */
export const build = (pattern: Pattern, params: Readonly<Record<string, string | number>>): string => {
  let url = ""
  for (const part of pattern.parts) {
    if (typeof part === "string") {
      url += encodeLiteral(part)
      continue
    }
    const value = Object.hasOwn(params, part.name) ? String(params[part.name]) : ""
    if (!new RegExp(`^(?:${part.regex ?? ".+"})$`, "us").test(value)) {
      const wanted = part.regex === undefined ? "at least one character" : part.regex
      throw new TypeError(`The parameter "${part.name}" of "${pattern.path}" is "${value}"; it has to match ${wanted}`)
    }
    // A catch-all spans segments: its slashes are the path's own. In one segment a slash is data.
    url += part.regex === undefined ? encodeURIComponent(value) : encodeSlashes(value, part.regex)
  }
  // A leading "//" would be read as another host (RFC 3986 §4.2).
  return url.replace(/^\/+/, "/")
}

const encodeSlashes = (value: string, regex: string): string =>
  new RegExp(`^(?:${regex})$`, "u").test("a/b") || value.includes("/")
    ? value.split("/").map(encodeURIComponent).join("/")
    : encodeURIComponent(value)

const encodeLiteral = (text: string): string =>
  text
    .split(/(%2F|%25)/)
    .map((piece, index) => (index % 2 === 1 ? piece : encodeURI(piece).replace(/[?#]/g, encodeURIComponent)))
    .join("")

const closing = (path: string, open: number): number => {
  let depth = 0
  let inClass = false
  for (let at = open; at < path.length; at++) {
    const char = path[at]
    if (char === "\\") at++
    else if (char === "{" && !inClass) depth++
    else if (char === "}" && !inClass && --depth === 0) return at
    else if (char === "[" && depth > 0) inClass = true
    else if (char === "]") inClass = false
  }
  return -1
}

const split = (inside: string): [name: string, regex: string | undefined] => {
  const colon = inside.indexOf(":")
  return colon === -1 ? [inside, undefined] : [inside.slice(0, colon), inside.slice(colon + 1)]
}

const check = (regex: string, bad: (reason: string) => TypeError): void => {
  try {
    new RegExp(`^(?:${regex})$`, "u")
  } catch (cause) {
    throw bad(String(cause instanceof Error ? cause.message : cause))
  }
}
