/**
 * The library's sources as text: what is code, comment and literal in a file, and what it imports. No parser is needed
 * for the questions that the architecture tests ask.
 */
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"

/** How a file names another: at load (`value`), for its types only (`type`), or when a function runs (`lazy`). */
export interface Import {
  readonly kind: "value" | "type" | "lazy"
  readonly specifier: string
  readonly line: number
  /** The path of the file that a relative specifier names, from the root of the repository. */
  readonly target: string | undefined
}

/** A file: its path from the root of the repository, its text, and the text with blanks for comments and literals. */
export interface Source {
  readonly path: string
  readonly text: string
  readonly code: string
  readonly imports: ReadonlyArray<Import>
}

/** The folder of the repository. */
export const root = fileURLToPath(new URL("..", import.meta.url))

type Kind = "code" | "comment" | "literal"

const comment = /\/\/.*|\/\*[\s\S]*?(?:\*\/|$)/y
const quoted = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/y
const regularExpression = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y
const templatePart = /[`}](?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{|$)/y
const beforeRegularExpression = /(?:^|[(,=:[!&|?{};+\-*%<>~^\n]|\breturn|\bcase)[ \t]*$/

const kindsOf = (text: string): ReadonlyArray<Kind> => {
  const kinds = new Array<Kind>(text.length).fill("code")
  const open: Array<number> = [] // for each enclosing `${`, how many braces are open in it
  let at = 0
  const take = (pattern: RegExp, kind: Kind): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found === undefined) return undefined
    kinds.fill(kind, at, at + found.length)
    at += found.length
    return found
  }
  while (at < text.length) {
    const character = text[at]
    if (take(comment, "comment") ?? take(quoted, "literal")) continue
    if (character === "`" || (character === "}" && open.at(-1) === 0)) {
      if (character === "}") open.pop()
      if (take(templatePart, "literal")?.endsWith("${")) open.push(0)
      continue
    }
    const mayStart = character === "/" && beforeRegularExpression.test(text.slice(Math.max(0, at - 40), at))
    if (mayStart && take(regularExpression, "literal")) continue
    if (character === "{" && open.length > 0) open[open.length - 1]! += 1
    if (character === "}" && open.length > 0) open[open.length - 1]! -= 1
    at += 1
  }
  return kinds
}

const blank = (text: string, kinds: ReadonlyArray<Kind>, hidden: (kind: Kind) => boolean): string =>
  text.replace(/[^\n]/g, (character, at: number) => (hidden(kinds[at]!) ? " " : character))

/** The line, counted from 1, of an offset in a text. */
export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length

const clause = String.raw`(?:\*(?:\s+as\s+[\w$]+)?|\{[^}]*\}|[\w$]+(?:\s*,\s*(?:\{[^}]*\}|\*\s+as\s+[\w$]+))?)\s*from\s*`
const declaration = new RegExp(
  String.raw`^[ \t]*(?:import|export)\b\s*(type\b(?!\s*from\b))?\s*(?:${clause})?["']([^"'\n]+)["']`,
  "gm"
)
const call = /\bimport\(\s*["']([^"'\n]+)["']/g

const targetOf = (path: string, specifier: string): string | undefined =>
  /^\.\.?(?:\/|$)/.test(specifier) ? new URL(specifier, `file:///${path}`).pathname.slice(1) : undefined

const importsOf = (path: string, text: string, kinds: ReadonlyArray<Kind>): ReadonlyArray<Import> => {
  const bare = blank(text, kinds, (kind) => kind === "comment")
  const make = (kind: Import["kind"], specifier: string, offset: number): ReadonlyArray<Import> =>
    kinds[offset] === "literal"
      ? []
      : [{ kind, specifier, line: lineAt(text, offset), target: targetOf(path, specifier) }]
  const start = (match: RegExpMatchArray): number => match.index! + match[0].search(/\S/)
  return [
    ...[...bare.matchAll(declaration)].flatMap((m) => make(m[1] === undefined ? "value" : "type", m[2]!, start(m))),
    ...[...bare.matchAll(call)].flatMap((m) => make("lazy", m[1]!, m.index))
  ].sort((a, b) => a.line - b.line)
}

/** A source from its path and its text. */
export const make = (path: string, text: string): Source => {
  const kinds = kindsOf(text)
  return { path, text, code: blank(text, kinds, (kind) => kind !== "code"), imports: importsOf(path, text, kinds) }
}

/** Every `.ts` file of `src/`, sorted by path. */
export const read = (): ReadonlyArray<Source> =>
  Fs.readdirSync(`${root}src`, { recursive: true, encoding: "utf8" })
    .map((path) => `src/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts"))
    .sort()
    .map((path) => make(path, Fs.readFileSync(root + path, "utf8")))
