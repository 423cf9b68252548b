/**
 * Decoding by Schema: what is reported of an input, and what is not.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import { decoder, MAX_ISSUES, recorder } from "../../../src/internal/requests/decode.ts"

const weak = Schema.String.check(Schema.makeFilter((text) => `${text} is weak`))
const long = Schema.String.check(Schema.isMinLength(8))
const transformed = (decode: (text: string) => Effect.Effect<string, SchemaIssue.Issue>) =>
  Schema.String.pipe(
    Schema.decodeTo(Schema.String, {
      decode: SchemaGetter.transformEffect(decode),
      encode: SchemaGetter.passthrough()
    })
  )
const bad = transformed((text) => Effect.fail(new SchemaIssue.InvalidValue({ message: `${text} is bad` })))

describe("the text of a failure", () => {
  const rows: ReadonlyArray<readonly [string, Schema.ConstraintDecoder<unknown>, unknown, string]> = [
    ["names the field", Schema.Struct({ a: Schema.String }), { a: 1 }, "a: Expected string"],
    ["names the path", Schema.Struct({ a: Schema.Array(Schema.String) }), { a: ["", 1] }, "a.1: Expected string"],
    ["counts the others", Schema.Struct({ a: Schema.String, b: Schema.String }), {}, "a: Missing key (and 1 more)"],
    ["repeats the message of a filter", Schema.Struct({ a: weak }), { a: "x" }, "a: x is weak"],
    ["says why a union does not fit", Schema.Union([Schema.String, Schema.Null]), 1, "Expected string | null"],
    ["repeats what a transformation says", bad, "x", "x is bad"],
    [
      "of a Redacted says what is declared",
      Schema.RedactedFromValue(long),
      "no",
      "Expected a value with a length of at least 8"
    ],
    ["of a Redacted says the type", Schema.RedactedFromValue(Schema.String), 1, "Expected string"],
    ["of a Redacted says nothing of the value", Schema.RedactedFromValue(weak), "no", "Expected a valid value"],
    [
      "of a Redacted says the path",
      Schema.RedactedFromValue(Schema.Struct({ a: Schema.String })),
      {},
      "a: Missing key"
    ],
    [
      "of a Redacted says nothing of a member",
      Schema.RedactedFromValue(Schema.Union([weak, long])),
      "no",
      "Expected a valid value (and 1 more)"
    ],
    ["of a Redacted says nothing of a transformation", Schema.RedactedFromValue(bad), "no", "Expected a valid value"],
    [
      "of JSON for a Redacted says nothing of the value",
      Schema.toCodecJson(Schema.Redacted(weak)),
      "no",
      "Expected a valid value"
    ]
  ]
  for (const [name, schema, input, text] of rows) {
    it.effect(name, () =>
      Effect.map(Effect.flip(decoder(schema, "body")(input)), (error) =>
        assert.strictEqual(error.text, `Invalid body: ${text}`)
      )
    )
  }
})

const strings = Schema.Array(Schema.String)

describe("issues", () => {
  it.effect("are all there, and no more than a hundred", () =>
    Effect.gen(function* () {
      const few = yield* Effect.flip(decoder(strings, "body")([1, 2, 3]))
      const many = yield* Effect.flip(decoder(strings, "body")(Array.from({ length: 1000 }, () => 1)))
      assert.deepStrictEqual(
        few.issues?.map((issue) => issue.path),
        [[0], [1], [2]]
      )
      assert.strictEqual(many.issues?.length, MAX_ISSUES)
    })
  )
  it.effect("are one where only the first is asked for", () =>
    Effect.map(Effect.flip(decoder(strings, "body")([1, 2], "first")), (error) =>
      assert.strictEqual(error.issues?.length, 1)
    )
  )
  it.effect("name a symbol by its text", () =>
    Effect.map(Effect.flip(decoder(Schema.Struct({ [Symbol.for("a")]: Schema.String }), "body")({})), (error) =>
      assert.deepStrictEqual(error.issues?.[0]?.path, ["Symbol(a)"])
    )
  )
})

it("a decoding that does not wait is an Exit", () => {
  assert.deepStrictEqual(decoder(strings, "query")(["a"]), Exit.succeed(["a"]))
  assert.isTrue(Exit.isExit(decoder(strings, "query")("a")))
})

it.effect("a decoding that waits fails like others", () =>
  Effect.gen(function* () {
    const waiting = decoder(
      transformed((text) => Effect.andThen(Effect.yieldNow, Effect.succeed(`${text}!`))),
      "query"
    )
    assert.strictEqual(yield* waiting("a"), "a!")
    assert.strictEqual((yield* Effect.flip(waiting(1))).text, "Invalid query: Expected string")
  })
)

interface Tree {
  readonly nodes: ReadonlyArray<Tree>
}
const Tree = Schema.Struct({ nodes: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree)) })

it.effect("what is nested deeper than the stack is the client's fault", () => {
  let deep: Tree = { nodes: [] }
  for (let i = 0; i < 100_000; i++) deep = { nodes: [deep] }
  return Effect.map(Effect.flip(decoder(Tree, "body")(deep)), (error) =>
    assert.deepStrictEqual([error.status, error.text], [422, "Invalid body: nested too deeply"])
  )
})

it.effect("a schema that throws is a defect", () =>
  Effect.gen(function* () {
    for (const defect of [new Error("bug"), new RangeError("toFixed() digits")]) {
      const thrown = transformed(() => {
        throw defect
      })
      assert.deepStrictEqual(yield* Effect.exit(decoder(thrown, "body")("a")), Exit.die(defect))
      const filter = Schema.makeFilter(() => {
        throw defect
      })
      assert.deepStrictEqual(yield* Effect.exit(decoder(Schema.String.check(filter), "body")("a")), Exit.die(defect))
    }
  })
)

describe("one value is", () => {
  const one = "a"
  const many = ["a"]
  const rows: ReadonlyArray<readonly [string, Schema.Constraint, unknown]> = [
    ["a string for a string", Schema.Struct({ a: Schema.String }), one],
    ["a string for a name that is not known", Schema.Struct({}), one],
    ["an array for an array", Schema.Struct({ a: strings }), many],
    ["an array for an array that may be missing", Schema.Struct({ a: Schema.optional(strings) }), many],
    ["an array for an array of numbers", Schema.Struct({ a: Schema.Array(Schema.FiniteFromString) }), many],
    ["an array for a tuple", Schema.Struct({ a: Schema.Tuple([Schema.String]) }), many],
    ["a string for a string or an array", Schema.Struct({ a: Schema.Union([Schema.String, strings]) }), one],
    ["an array for an array that is suspended", Schema.Struct({ a: Schema.suspend(() => strings) }), many],
    ["an array in a record of arrays", Schema.Record(Schema.String, strings), many],
    ["an array in a struct that is suspended", Schema.suspend(() => Schema.Struct({ a: strings })), many],
    ["an array in a member of a union", Schema.Union([Schema.Struct({ a: strings }), Schema.Struct({})]), many],
    ["a string where anything goes", Schema.Unknown, one]
  ]
  for (const [name, schema, wanted] of rows) {
    it(name, () => assert.deepStrictEqual(recorder(schema)([["a", "a"]]).a, wanted as never))
  }
})

it("several values are an array, in their order, in a record without a prototype", () => {
  const record = recorder(Schema.Struct({ b: strings }))([
    ["a", "1"],
    ["b", "2"],
    ["a", "3"],
    ["a", "4"],
    ["__proto__", "5"]
  ])
  const wanted = Object.assign(Object.create(null), { a: ["1", "3", "4"], b: ["2"] })
  Object.defineProperty(wanted, "__proto__", { value: "5", enumerable: true })
  assert.strictEqual(Object.getPrototypeOf(record), null)
  assert.deepStrictEqual(Object.entries(record), Object.entries(wanted))
})
