/**
 * The tables and the code of a Markdown text, and the names and paths in them.
 */

/** A row of a table: the cells by the text of their column's head. */
export type Row = { readonly [column: string]: string }

/** A table: the heads of its columns and its rows. */
export interface Table {
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<Row>
}

const fence = /^ {0,3}(`{3,}|~{3,})[^\n]*\n([\s\S]*?)^ {0,3}\1[`~]*[ \t]*$/gm
const codeSpan = /(?<!`)(`+)(?!`)([^\n]*?[^`])\1(?!`)/g
const link = /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g

const plain = (text: string): string => text.replace(/[`*_]/g, "").trim()

const cellsOf = (line: string): ReadonlyArray<string> =>
  line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.replaceAll("\\|", "|").trim())

const isRuler = (line: string | undefined): boolean => cellsOf(line ?? "").every((cell) => /^:?-+:?$/.test(cell))

/** The tables of a text; what stands in fenced code is none. */
export const tables = (markdown: string): ReadonlyArray<Table> => {
  const lines = markdown.replaceAll("\r\n", "\n").replace(fence, "").split("\n")
  return lines.flatMap((line, at) => {
    if (!line.includes("|") || !isRuler(lines[at + 1])) return []
    const columns = cellsOf(line).map(plain)
    const rest = lines.slice(at + 2)
    const end = rest.findIndex((line) => !line.includes("|"))
    const rows = rest.slice(0, end < 0 ? rest.length : end).map(cellsOf)
    return [
      { columns, rows: rows.map((cells) => Object.fromEntries(columns.map((name, i) => [name, cells[i] ?? ""]))) }
    ]
  })
}

/** The code spans of a cell or a text. */
export const spans = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(codeSpan)].map((match) => match[2]!.trim())

/** All code of a text: the fenced blocks, then the spans outside of them. */
export const code = (markdown: string): ReadonlyArray<string> => {
  const text = markdown.replaceAll("\r\n", "\n")
  return [...[...text.matchAll(fence)].map((match) => match[2]!), ...spans(text.replace(fence, ""))]
}

/** True for a row with a cell that is marked as coming: "coming", "*coming*", "`Proxy.make` (coming)". */
export const isComing = (row: Row): boolean =>
  Object.values(row).some((cell) => /(?:^|[*_(])coming\b(?! from\b)/i.test(cell))

/** The identifiers `Module.name` in the code of a cell; what stands in string literals is none. */
export const identifiers = (cell: string): ReadonlyArray<readonly [module: string, name: string]> =>
  spans(cell)
    .map((span) => span.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g, '""'))
    .flatMap((span) => [...span.matchAll(/(?<![.\w$])([A-Z][\w$]*)\.([A-Za-z_$][\w$]*)/g)])
    .map((match) => [match[1]!, match[2]!] as const)

const folders = /^(?:\.\/)?(?:\.ci|bench|docs|examples|src|test)(?:\/|$)/
// `Body.json` is a name, not a file.
const isPath = (text: string): boolean =>
  !/^[A-Z]\w*\.json$/.test(text) &&
  /^[\w.@/-]+(?::\d+)?$/.test(text) &&
  (folders.test(text) || /\.(?:ts|md|json|txt)(?::\d+)?$/.test(text))

/** The paths of the repository in a cell: targets of links, code spans and words that look like one. */
export const paths = (cell: string): ReadonlyArray<string> => {
  const links = [...cell.matchAll(link)].map((match) => match[1]!).filter((target) => !/^(?:[a-z]+:|#)/i.test(target))
  const words = cell
    .replace(/\[[^\]]*\]\([^)]*\)/g, "")
    .replace(codeSpan, (_, __, span: string) => (isPath(span.trim()) ? ` ${span} ` : " "))
    .split(/[\s,;()]+/)
    .filter(isPath)
  return [...links, ...words].map((path) => path.replace(/^\.\//, "").replace(/(?:#|:\d).*$/, ""))
}
