/**
 * Path patterns: literals, `{name}` for one non-empty segment, `{name:regex}` for anything, several in a segment.
 *
 * ```ts
 * Pattern.parse("/{year:\\d{4}}/{name}.{ext}")
 * Pattern.parse("/files/{path:.*}") // catch-all
 * type Names = Pattern.ParamName<"/{year:\\d{4}}/{name}.{ext}"> // "year" | "name" | "ext"
 * ```
 *
 * A pattern starts with "/" or is "" (the prefix of a mounted app itself). Names are `[_a-zA-Z][_a-zA-Z0-9]*`. Braces in a regex
 * are balanced, escaped or in a class. It has the flags `u` and `s`, and has to match its whole part of the path, decoded
 * except for `%2F` and `%25`.
 *
 * @source aiohttp.web.DynamicResource
 * @spec RFC 3986 §3.3
 */

/** The names of a pattern's parameters, read from its literal type; `string` when the path is not a literal. */
export type ParamName<Path extends string> = string extends Path ? string : Names<Path>

type Names<Path extends string> = Path extends `${string}{${infer Rest}` ? NameThen<Rest> : never

// The parameter ends at the first "}" or ":"; after a ":" the regex is skipped.
type NameThen<Rest extends string> = Rest extends `${infer Name}}${infer Tail}`
  ? Name extends `${infer Id}:${string}`
    ? Id | (Rest extends `${Id}:${infer Regex}` ? Names<Skip<Regex, []>> : never)
    : Name | Names<Tail>
  : never

// What follows the "}" that closes the parameter; Depth counts the braces open in the regex. Escaped ones and those in a class do
// not count.
type Skip<Text extends string, Depth extends ReadonlyArray<unknown>> = Text extends `\\${infer _}${infer Rest}`
  ? Skip<Rest, Depth>
  : Text extends `[${infer Rest}`
    ? SkipClass<Rest, Depth>
    : Text extends `{${infer Rest}`
      ? Skip<Rest, [...Depth, unknown]>
      : Text extends `}${infer Rest}`
        ? Depth extends readonly [unknown, ...infer Less]
          ? Skip<Rest, Less>
          : Rest
        : Text extends `${infer _}${infer Rest}`
          ? Skip<Rest, Depth>
          : ""
type SkipClass<Text extends string, Depth extends ReadonlyArray<unknown>> = Text extends `\\${infer _}${infer Rest}`
  ? SkipClass<Rest, Depth>
  : Text extends `]${infer Rest}`
    ? Skip<Rest, Depth>
    : Text extends `${infer _}${infer Rest}`
      ? SkipClass<Rest, Depth>
      : ""

/** A literal text, or a parameter; `regex` is undefined for one non-empty segment (`{name}`). */
export type Part = string | { readonly name: string; readonly regex: string | undefined }

/** A parsed pattern. `fixed` is its text when it has no parameters; `regex` matches decoded paths, a group for each name. */
export interface Pattern {
  readonly path: string
  readonly parts: ReadonlyArray<Part>
  readonly names: ReadonlyArray<string>
  readonly fixed: string | undefined
  readonly regex: RegExp
}

/** Parses a pattern. Throws a TypeError that says what is wrong and how to mend it. */
export const parse = (path: string): Pattern => {
  const bad = (fault: string) => new TypeError(`Bad pattern "${path}": ${fault}`)
  if (path !== "" && !path.startsWith("/")) throw bad(`it does not start with "/"; write "/${path}"`)
  const foreign = path.split("/").find((segment) => /^(?::[a-z_]\w*\??|\*)$/i.test(segment))
  if (foreign !== undefined) {
    const cure = foreign === "*" ? "{path:.*}" : `{${foreign.replace(/\W/g, "")}}`
    throw bad(`"${foreign}" is the parameter of another library; write "${cure}"`)
  }
  const parts: Array<Part> = []
  const names: Array<string> = []
  let at = 0
  for (let open = path.indexOf("{"); open !== -1; open = path.indexOf("{", at)) {
    const close = closing(path, open)
    if (close === -1) {
      const cure = `add "}", or write "\\{" for one in a regex, "%7B" for one in the path`
      throw bad(`the "{" at ${open} is not closed; ${cure}`)
    }
    const part = parameter(path.slice(open + 1, close), names, bad)
    parts.push(...literal(path, at, open, bad), part)
    names.push(part.name)
    at = close + 1
  }
  parts.push(...literal(path, at, path.length, bad))
  const fixed = names.length === 0 ? parts.join("") : undefined
  const regex = compile(`^${parts.map(source).join("")}$`, () =>
    bad(`a group has a name that is taken; give it another`)
  )
  return { path, parts, names, fixed, regex }
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

/**
 * The path with values in place of the parameters, percent-encoded: the route gets the same values back. Throws a TypeError where
 * it would not, and where a client would read the URL as another host or path.
 */
export const build = (pattern: Pattern, params: Readonly<Record<string, string | number>>): string => {
  let url = ""
  let path = ""
  for (const part of pattern.parts) {
    const text = typeof part === "string" ? part : kept(pattern, part, params, path === "/")
    path += text
    url += encode(text, typeof part === "string" ? encodeURI : encodeURIComponent)
  }
  const bad = (fault: string) => new TypeError(`The URL "${url}" of "${pattern.path}" would ${fault}`)
  if (url.startsWith("//")) throw bad(`lead elsewhere: clients read a host after "//"`)
  if (/\/\.\.?(?:\/|$)/.test(url)) throw bad(`lead elsewhere: clients resolve "." and ".."`)
  const values = pattern.regex.exec(path)?.groups
  const other = pattern.names.find((name) => decodeValue(values?.[name] ?? "") !== String(params[name]))
  if (other === undefined) return url
  throw bad(`be read back with another "${other}"; separate the parameters by what is not in them`)
}

// The value as it is matched: in one segment a slash is data, a regex that spans segments takes the path's own.
const kept = (
  { path }: Pattern,
  { name, regex = "[^/]+" }: Exclude<Part, string>,
  params: Readonly<Record<string, unknown>>,
  isFirst: boolean
): string => {
  const given = Object.hasOwn(params, name) ? params[name] : undefined
  const bad = (fault: string) => new TypeError(`The parameter "${name}" of "${path}" is ${fault}`)
  if (given === undefined) throw bad("missing")
  if (typeof given === "object") throw bad("an object; give a string or a number")
  const value = String(given)
  if (!value.isWellFormed()) throw bad(`${JSON.stringify(value)}; it has to be well-formed Unicode`)
  const escaped = value.replaceAll("%", "%25")
  // After a first "/", a second one would begin a host (RFC 3986 §4.2).
  const forms = [escaped, escaped.replaceAll("/", "%2F")]
  if (isFirst && value.startsWith("/")) forms.unshift(escaped.replace("/", "%2F"))
  const whole = new RegExp(`^(?:${regex})$`, "us")
  const form = forms.find((each) => whole.test(each))
  if (form === undefined) throw bad(`${JSON.stringify(value)}; it has to match ${regex}`)
  return form
}

const encode = (text: string, encodeText: (text: string) => string): string =>
  text
    .split(/(%2F|%25|[?#/])/)
    .map((piece, index) =>
      index % 2 === 0 ? encodeText(piece) : /[?#]/.test(piece) ? encodeURIComponent(piece) : piece
    )
    .join("")

type Bad = (fault: string) => TypeError

const literal = (path: string, from: number, to: number, bad: Bad): ReadonlyArray<string> => {
  const text = path.slice(from, to)
  if (text.includes("}")) {
    throw bad(`the "}" at ${from + text.indexOf("}")} closes nothing; remove it, or write "%7D" for one in the path`)
  }
  const stray = /[?#]/.exec(text)?.[0]
  if (stray === "?") throw bad(`a path has no "?"; describe the query in the route, or write "%3F" for one in the path`)
  if (stray === "#") throw bad(`a path has no "#"; remove it, or write "%23" for one in the path`)
  const decoded = decode(text)
  if (decoded === undefined) throw bad(`"${text}" is not percent-encoded UTF-8; write "%25" for a percent sign`)
  return decoded === "" ? [] : [decoded]
}

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/

const parameter = (inside: string, names: ReadonlyArray<string>, bad: Bad): Exclude<Part, string> => {
  const colon = inside.indexOf(":")
  const name = colon === -1 ? inside : inside.slice(0, colon)
  const regex = colon === -1 ? undefined : inside.slice(colon + 1)
  if (!identifier.test(name)) {
    throw bad(`"${name}" is no parameter name; use letters, digits and "_", and no digit first`)
  }
  if (names.includes(name)) throw bad(`the parameter "${name}" is there twice; give each its own name`)
  if (regex === "") throw bad(`the regex of "${name}" is empty; write {${name}} for one segment`)
  if (regex === undefined) return { name, regex }
  compile(regex, (fault) => bad(`the regex of "${name}" does not compile (${fault}); mend it`))
  // The number would count the groups of the whole pattern.
  if (!/^(?:[^\\]|\\[^1-9])*$/s.test(regex)) {
    throw bad(`the regex of "${name}" refers to a group by number; name it, as (?<x>a), and write \\k<x>`)
  }
  return { name, regex }
}

const compile = (regex: string, bad: Bad): RegExp => {
  try {
    return new RegExp(regex, "us")
  } catch (cause) {
    throw bad(String(cause).replace(/^.*: /s, ""))
  }
}

const source = (part: Part): string =>
  typeof part === "string" ? part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&") : `(?<${part.name}>${part.regex ?? "[^/]+"})`

const closing = (path: string, open: number): number => {
  let depth = 0
  let inClass = false
  for (let at = open; at < path.length; at++) {
    const char = path[at]
    if (char === "\\") at++
    else if (inClass) inClass = char !== "]"
    else if (char === "[") inClass = true
    else if (char === "{") depth++
    else if (char === "}" && --depth === 0) return at
  }
  return -1
}
