/**
 * Content negotiation: which of the offers of the server a client's `Accept*` header likes best.
 *
 * ```ts
 * Accept.mediaType("text/*;q=0.5, application/json", ["text/html", "application/json"]) // "application/json"
 * Accept.encoding("gzip, br;q=0", ["br", "gzip", "identity"]) // "gzip"
 * Accept.language("de-CH, en;q=0.5", ["en", "de"]) // "de"
 * ```
 *
 * Malformed elements are ignored; a header with no other elements is as good as none.
 * Unlike aiohttp, which looks for a substring, q-values count, and `q=0` excludes.
 *
 * @source aiohttp.web.StreamResponse.enable_compression
 * @spec RFC 9110 §12
 */
import * as MediaType from "./MediaType.ts"
import * as Syntax from "./Syntax.ts"

/**
 * The media type to answer with: of the offers the client's highest q, then the earliest. The q of an offer is that of
 * its most specific range: type/subtype with parameters, type/subtype, type/*, then any. No header: the first offer;
 * nothing acceptable: `undefined` (406).
 *
 * @spec RFC 9110 §12.5.1
 */
export const mediaType = (header: string | undefined, offers: ReadonlyArray<string>): string | undefined => {
  const ranges = weigh(header).filter((range) => isMediaRange(range.name))
  if (ranges.length === 0) return offers[0]
  return best(offers, (offer) => {
    const type = MediaType.parse(offer)
    return type === undefined ? 0 : (quality(ranges, (range) => mediaTypeFit(range, type)) ?? 0)
  })
}

/**
 * The content coding to answer with: of the offers the client's highest q, then the earliest; `x-gzip` and `x-compress`
 * are `gzip` and `compress`. "identity" is answered only when offered: unless the client names it, it is the last
 * resort, and it is excluded by `identity;q=0` or `*;q=0`. No header: "identity" when offered. Else `undefined`.
 *
 * @spec RFC 9110 §12.5.3
 */
export const encoding = (header: string | undefined, offers: ReadonlyArray<string>): string | undefined => {
  const ranges = weigh(header).filter((range) => Syntax.isToken(range.name))
  return best(offers, (offer) => {
    const coding = alias(offer.toLowerCase())
    const q = quality(ranges, (range) => (alias(range.name) === coding ? 2 : range.name === "*" ? 1 : 0))
    return q ?? (coding === "identity" ? LAST_RESORT : 0)
  })
}

/**
 * The language to answer with. The ranges are looked up from the highest q down, in the client's order: the offer
 * itself, else a more specific offer ("de" finds "de-DE"), else a less specific one ("de-CH" finds "de"). No header:
 * the first offer; nothing acceptable: `undefined`, and the site's default language is a fair answer.
 *
 * @spec RFC 9110 §12.5.4; RFC 4647 §3.3.1, §3.4
 */
export const language = (header: string | undefined, offers: ReadonlyArray<string>): string | undefined => {
  const ranges = weigh(header).filter((range) => Syntax.isToken(range.name))
  if (ranges.length === 0) return offers[0]
  const others = quality(ranges, (range) => (range.name === "*" ? 1 : 0))
  const tags = offers
    .map((offer) => ({ offer, tag: offer.toLowerCase() }))
    .map(({ offer, tag }) => ({ offer, tag, listed: quality(ranges, (range) => languageFit(range.name, tag)) }))
    .filter(({ listed }) => (listed ?? others) !== 0)
  // A less specific offer fits worse than any other, and the more of the range it has the better
  const score = (range: string, tag: string) => languageFit(range, tag) || languageFit(tag, range) / (range.length + 1)
  for (const { name, q } of ranges.toSorted((left, right) => right.q - left.q)) {
    if (q === 0) break
    const found =
      name === "*" ? tags.find(({ listed }) => listed === undefined) : best(tags, ({ tag }) => score(name, tag))
    if (found !== undefined) return found.offer
  }
  return undefined
}

interface Weighted {
  readonly name: string
  readonly parameters: Readonly<Record<string, string>>
  readonly q: number
}

// RFC 9110 §12.4.2, and ".2": the Accept that Java's HttpURLConnection sends by default has it
const WEIGHT = /^(?:0(?:\.\d{0,3})?|\.\d{1,3}|1(?:\.0{0,3})?)$/

const weigh = (header: string | undefined): ReadonlyArray<Weighted> => {
  const found: Array<Weighted> = []
  for (const element of Syntax.elements(header ?? "")) {
    const end = Syntax.nextOrEnd(element, ";", 0)
    const parameters = Syntax.parameters(element, end, "reject")
    const weight = parameters?.q ?? "1"
    if (parameters === undefined || !WEIGHT.test(weight)) continue
    found.push({ name: Syntax.trim(element.slice(0, end)).toLowerCase(), parameters, q: Number(weight) })
  }
  return found
}

// The q of the range that fits best; of equal ones the higher. `undefined` when none fits (0 is "does not fit")
const quality = (ranges: ReadonlyArray<Weighted>, fitOf: (range: Weighted) => number): number | undefined => {
  let closest = 0
  let q: number | undefined
  for (const range of ranges) {
    const current = fitOf(range)
    if (current > closest || (current === closest && q !== undefined && range.q > q)) {
      closest = current
      q = range.q
    }
  }
  return q
}

// The item with the highest score above zero, the earliest of equals
const best = <A>(items: ReadonlyArray<A>, score: (item: A) => number): A | undefined => {
  let found: A | undefined
  let highest = 0
  for (const item of items) {
    const current = score(item)
    if (current > highest) {
      found = item
      highest = current
    }
  }
  return found
}

const isMediaRange = (name: string): boolean =>
  MediaType.parse(name) !== undefined && (name === "*/*" || !name.startsWith("*/"))

const mediaTypeFit = (range: Weighted, type: MediaType.MediaType): number => {
  if (range.name === "*/*") return 1
  if (range.name.endsWith("/*")) return type.essence.startsWith(range.name.slice(0, -1)) ? 2 : 0
  const wanted = Object.entries(range.parameters).filter(([name]) => name !== "q")
  const same = wanted.every(([name, value]) => type.parameters[name]?.toLowerCase() === value.toLowerCase())
  return range.name === type.essence && same ? 3 + wanted.length : 0
}

// Smaller than any q that can be written
const LAST_RESORT = 0.0001

const alias = (coding: string): string => (coding === "x-gzip" || coding === "x-compress" ? coding.slice(2) : coding)

// RFC 4647 §3.3.1: the range is the tag, or a prefix of it that ends before a "-"; the longer the closer
const languageFit = (range: string, tag: string): number =>
  range === tag ? range.length + 1 : tag.startsWith(range) && tag[range.length] === "-" ? range.length : 0
