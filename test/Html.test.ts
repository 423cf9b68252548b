/**
 * What is interpolated into `html` stays text.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Template from "effect/http/Template"
import * as Html from "../src/Html.ts"
import { html } from "../src/Html.ts"

const vectors = [
  `<script>alert(1)</script>`,
  `"><script>alert(1)</script>`,
  `'><img src=x onerror=alert(1)>`,
  `" onmouseover="alert(1)`,
  `' autofocus onfocus='alert(1)`,
  "` onerror=`alert(1)",
  `</title><svg/onload=alert(1)>`,
  `--><!--<script>`,
  `]]><script>`,
  `<!DOCTYPE x>`,
  `&lt;script&gt;`,
  `&#60;script&#62;`,
  `<scr\0ipt>`,
  `\u2028<b>\u2029`,
  `${"<".repeat(100)}`
]

describe("an interpolation can leave neither its element nor its quotes", () => {
  for (const vector of vectors) {
    it(JSON.stringify(vector), () => {
      const [before, inside, between, attribute, after] = ["<p>", `${html`${vector}`}`, "</p><a title='", "", "'></a>"]
      assert.notMatch(inside, /[<>"'`]/)
      assert.notMatch(inside, /&(?!(?:amp|lt|gt|quot|#39|#96);)/)
      assert.strictEqual(
        `${html`<p>${vector}</p><a title='${vector}'></a>`}`,
        before + inside + between + inside + attribute + after
      )
    })
  }
})

const rows: ReadonlyArray<readonly [name: string, markup: Html.Html, wanted: string]> = [
  ["the six special characters are escaped", html`${"&<>\"'`"}`, "&amp;&lt;&gt;&quot;&#39;&#96;"],
  ["other text stays", html`${"é€😀 a=b; c/d"}`, "é€😀 a=b; c/d"],
  ["what is escaped already is escaped again", html`${"&amp;"}`, "&amp;amp;"],
  ["markup without interpolation stays", html`<br>`, "<br>"],
  ["the empty template is empty", html``, ""],
  ["numbers are text", html`${0}|${-1.5}|${Number.NaN}|${12n}`, "0|-1.5|NaN|12"],
  ["null, undefined and false are empty", html`[${null}${undefined}${false}]`, "[]"],
  ["the empty string and zero are not false", html`[${""}${0}]`, "[0]"],
  ["arrays are flattened and escaped", html`${["<", ["&", [null, 1]], html`<b>`]}`, "&lt;&amp;1<b>"],
  ["the empty array is empty", html`[${[]}]`, "[]"],
  ["nested Html is not escaped again", html`<p>${html`<b>${"<"}</b>`}</p>`, "<p><b>&lt;</b></p>"],
  ["raw text is not escaped", html`<p>${Html.raw("<hr>")}</p>`, "<p><hr></p>"],
  ["the escapes of the template are those of JavaScript", html`a\n\u0041`, "a\nA"],
  ["replacement patterns are text", html`${"$&$1<"}`, "$&amp;$1&lt;"]
]

describe("html", () => {
  for (const [name, markup, wanted] of rows) {
    it(name, () => assert.strictEqual(Html.toString(markup), wanted))
  }

  const wrong: ReadonlyArray<readonly [name: string, value: unknown]> = [
    ["an object", {}],
    ["a date", new Date(0)],
    ["an Effect", Effect.succeed("<b>")],
    ["a function", () => "<b>"],
    ["a symbol", Symbol("b")],
    ["an object inside an array", [["a"], { toString: () => "<b>" }]]
  ]
  for (const [name, value] of wrong) {
    it(`${name} throws a TypeError that names what can be interpolated`, () =>
      assert.throws(() => html`${value as string}`, TypeError, /interpolate a string, a number, Html/))
  }

  it("true is written, since its type is refused", () =>
    assert.strictEqual(`${html`${true as unknown as false}`}`, "true"))

  it("takes only what has one meaning", () => {
    expectTypeOf<string | number | bigint | false | null | undefined | Html.Html>().toExtend<Html.Interpolation>()
    expectTypeOf<true>().not.toExtend<Html.Interpolation>()
    expectTypeOf<Date>().not.toExtend<Html.Interpolation>()
    expectTypeOf<Effect.Effect<string>>().not.toExtend<Html.Interpolation>()
  })
})

describe("isHtml", () => {
  const values: ReadonlyArray<readonly [name: string, value: unknown, wanted: boolean]> = [
    ["html", html`<b>`, true],
    ["raw", Html.raw("<b>"), true],
    ["a string", "<b>", false],
    ["null", null, false],
    ["an object that looks like it", { text: "<b>", toString: () => "<b>" }, false]
  ]
  for (const [name, value, wanted] of values) {
    it(`${name} is ${wanted ? "" : "not "}markup`, () => assert.strictEqual(Html.isHtml(value), wanted))
  }

  it("nothing parsed from JSON passes for markup", () => {
    const parsed = JSON.parse(`{"effect-web/Html": true, "text": "<b>", "__proto__": {"text": "<b>"}}`)
    assert.isFalse(Html.isHtml(parsed))
    assert.throws(() => html`${parsed}`, TypeError)
  })
})

it.effect("Effect's own template does not escape, and html does", () =>
  Effect.gen(function* () {
    const text = "<script>alert(1)</script>"
    assert.strictEqual(yield* Template.make`<p>${text}</p>`, `<p>${text}</p>`)
    assert.strictEqual(Html.toString(html`<p>${text}</p>`), "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>")
  })
)
