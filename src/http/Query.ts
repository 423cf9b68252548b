/**
 * Query strings and urlencoded forms: an immutable multi-map of names to values.
 *
 * ```ts
 * const query = Query.parse("?tag=a&tag=b&q=x+y")
 * query.get("q") // "x y"
 * query.getAll("tag") // ["a", "b"]
 * Query.format({ page: 2, tag: ["a", "b"] }) // "page=2&tag=a&tag=b"
 * ```
 *
 * @source aiohttp.web.BaseRequest.query
 * @spec WHATWG URL §5 (application/x-www-form-urlencoded)
 */

/** Names and values in their order, duplicates kept. Iterates over the pairs; `size` is their number. */
export class Query implements Iterable<readonly [name: string, value: string]> {
  private readonly pairs: ReadonlyArray<readonly [string, string]>

  constructor(pairs: Iterable<readonly [name: string, value: string]>) {
    this.pairs = Array.from(pairs)
  }

  get size(): number {
    return this.pairs.length
  }

  /** The first value of a name. */
  get(name: string): string | undefined {
    return this.pairs.find((pair) => pair[0] === name)?.[1]
  }

  /** All values of a name; none is the empty array. */
  getAll(name: string): ReadonlyArray<string> {
    return this.pairs.filter((pair) => pair[0] === name).map((pair) => pair[1])
  }

  has(name: string): boolean {
    return this.pairs.some((pair) => pair[0] === name)
  }

  /** The names, each once, in the order of their first values. */
  keys(): ReadonlyArray<string> {
    return Array.from(new Set(this.pairs.map((pair) => pair[0])))
  }

  [Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    return this.pairs[Symbol.iterator]()
  }

  /** A record with a null prototype: a string for a name with one value, an array for a name with several. */
  toRecord(): Readonly<Record<string, string | ReadonlyArray<string>>> {
    const record: Record<string, string | Array<string>> = Object.create(null)
    for (const [name, value] of this.pairs) {
      const earlier = record[name]
      if (earlier === undefined) record[name] = value
      else if (typeof earlier === "string") record[name] = [earlier, value]
      else earlier.push(value)
    }
    return record
  }

  /** As `toRecord`, for JSON. */
  toJSON(): Readonly<Record<string, string | ReadonlyArray<string>>> {
    return this.toRecord()
  }

  /** The pairs urlencoded, a space as `+`, without a leading "?". */
  toString(): string {
    return new URLSearchParams(this.pairs.map(([name, value]) => [name, value])).toString()
  }
}

/**
 * Reads a query string, with or without its "?". Never fails: blank values are kept, `+` is a space, malformed
 * percent-encoding stays as it is, bytes that are not UTF-8 become U+FFFD.
 */
export const parse = (search: string): Query => parseForm(search.startsWith("?") ? search.slice(1) : search)

/** Reads an urlencoded body like `parse`, except that a "?" at its beginning is part of the first name. */
export const parseForm = (body: string): Query =>
  // The constructor drops one "?", so that this one protects a "?" of the body
  new Query(new URLSearchParams(`?${body}`))

/** Writes a query string without the "?": an array is one pair for each item, `undefined` is left out. */
export const format = (
  input: Readonly<Record<string, string | number | boolean | ReadonlyArray<string | number | boolean> | undefined>>
): string => {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined) continue
    for (const item of typeof value === "object" ? value : [value]) parameters.append(name, String(item))
  }
  return parameters.toString()
}
