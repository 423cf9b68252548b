import { assert, expectTypeOf, it } from "@effect/vitest"
import * as Pattern from "../../src/http/Pattern.ts"

it("the names of a pattern's parameters are read from the literal", () => {
  expectTypeOf<Pattern.ParamName<"">>().toEqualTypeOf<never>()
  expectTypeOf<Pattern.ParamName<"/">>().toEqualTypeOf<never>()
  expectTypeOf<Pattern.ParamName<"/users">>().toEqualTypeOf<never>()
  expectTypeOf<Pattern.ParamName<"/{id}">>().toEqualTypeOf<"id">()
  expectTypeOf<Pattern.ParamName<"/{a}/{b}/{c}">>().toEqualTypeOf<"a" | "b" | "c">()
  expectTypeOf<Pattern.ParamName<"/{name}.{ext}">>().toEqualTypeOf<"name" | "ext">()
  expectTypeOf<Pattern.ParamName<"/{a}{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{a}:{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{id:\\d+}">>().toEqualTypeOf<"id">()
  expectTypeOf<Pattern.ParamName<"/{id:\\d+}/{b}">>().toEqualTypeOf<"id" | "b">()
  expectTypeOf<Pattern.ParamName<"/{year:\\d{4}}">>().toEqualTypeOf<"year">()
  expectTypeOf<Pattern.ParamName<"/{year:\\d{4}}/{b}">>().toEqualTypeOf<"year" | "b">()
  expectTypeOf<Pattern.ParamName<"/{year:\\d{4}}/{name}.{ext:[a-z]{2,4}}">>().toEqualTypeOf<"year" | "name" | "ext">()
  expectTypeOf<Pattern.ParamName<"/{a:(?:x{2}){3}}/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{a:b:c}/{d}">>().toEqualTypeOf<"a" | "d">()
  expectTypeOf<Pattern.ParamName<"/{a:\\{x\\}}/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{a:\\}}/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{a:\\{}/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{a:\\\\}/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{a:\\\\\\}}/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{a:\\\\\\\\}/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{a:[}]}/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{a:[{]}/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{a:[{]{2}}/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{a:[\\]}]+}/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{a:\\[}/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{a:[[]}/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/{a:{x}}/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<"/files/{path:.*}">>().toEqualTypeOf<"path">()
  expectTypeOf<Pattern.ParamName<"/core/locations{tail:.*}">>().toEqualTypeOf<"tail">()
  expectTypeOf<Pattern.ParamName<"/{ids:([0-9]+)(,([0-9]+))*}">>().toEqualTypeOf<"ids">()
  expectTypeOf<Pattern.ParamName<"/{a}" | "/{b}">>().toEqualTypeOf<"a" | "b">()
  expectTypeOf<Pattern.ParamName<string>>().toEqualTypeOf<string>()
})

it("a long regex of a pattern does not exhaust the type checker", () => {
  type Ten<Text extends string> = `${Text}${Text}${Text}${Text}${Text}${Text}${Text}${Text}${Text}${Text}`
  expectTypeOf<Pattern.ParamName<`/{a:${Ten<Ten<"\\d{2}">>}}/{b}`>>().toEqualTypeOf<"a" | "b">()
})

it("the names in the type of a pattern are those of the parsed pattern", () => {
  const path = "/{a:\\\\\\}[}{\\]]{2}}/{b}-{c:x{1}}{d:.*}"
  expectTypeOf<Pattern.ParamName<typeof path>>().toEqualTypeOf<"a" | "b" | "c" | "d">()
  assert.deepStrictEqual(Pattern.parse(path).names, ["a", "b", "c", "d"])
})
