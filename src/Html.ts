/**
 * HTML that is escaped by construction: what is interpolated is text, and stays text.
 *
 * ```ts
 * const page = html`<h1 title="${user.motto}">${user.name}</h1>${user.admin && html`<p>Welcome back</p>`}`
 * Response.html(html`<ul>${users.map((user) => html`<li>${user.name}</li>`)}</ul>`)
 * ```
 *
 * Safe in element content and in *quoted* attributes. Never interpolate into an unquoted attribute, `<script>`, `<style>`, an
 * event handler or a tag name: there escaping is not enough. A URL in `href` or `src` has to be checked: `javascript:` passes.
 *
 * Unlike Effect's own `Template`, which escapes nothing.
 *
 * @spec WHATWG HTML §13.1.2, §13.3 (escaping a string)
 */

// A symbol: no JSON that a client sends can pass for trusted markup.
const TypeId: unique symbol = Symbol.for("effect-web/Html")

/** Markup that may be sent as it is. Made by `html` and `raw` only; `toString` gives the text. */
export interface Html {
  readonly [TypeId]: typeof TypeId
  toString(): string
}

/** What can be interpolated: text and numbers are escaped, Html is not, arrays are joined; null, undefined and false are empty. */
export type Interpolation = string | number | bigint | false | null | undefined | Html | ReadonlyArray<Interpolation>

/** Makes markup; every interpolation is escaped. Throws a TypeError for an object that is neither Html nor an array. */
export const html = (strings: TemplateStringsArray, ...values: ReadonlyArray<Interpolation>): Html => {
  let text = strings[0]!
  for (let at = 0; at < values.length; at++) text += render(values[at]) + strings[at + 1]!
  return make(text)
}

/** Takes text for markup, unescaped. Only for text that no client can influence. */
export const raw = (text: string): Html => make(text)

/** True for markup made by `html` or `raw`. */
export const isHtml = (u: unknown): u is Html => typeof u === "object" && u !== null && TypeId in u

/** The text of markup. */
export const toString = (self: Html): string => self.toString()

const special = /[&<>"'`]/g
const entities: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;"
}

/** Escapes `&`, `<`, `>`, both quotes and the backtick. */
export const escape = (text: string): string => text.replace(special, (character) => entities[character]!)

const prototype = {
  [TypeId]: TypeId,
  toString(this: { readonly text: string }): string {
    return this.text
  }
}

const make = (text: string): Html => Object.assign(Object.create(prototype), { text })

const render = (value: unknown): string => {
  if (typeof value === "string") return escape(value)
  if (value === null || value === undefined || value === false) return ""
  if (isHtml(value)) return value.toString()
  if (Array.isArray(value)) return value.map(render).join("")
  if (typeof value === "object" || typeof value === "function" || typeof value === "symbol") {
    throw new TypeError(`html: ${typeof value} is no text; interpolate a string, a number, Html, or an array of them`)
  }
  return String(value)
}
