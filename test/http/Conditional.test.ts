import { assert, describe, it } from "@effect/vitest"
import * as Conditional from "../../src/http/Conditional.ts"
import * as EntityTag from "../../src/http/EntityTag.ts"

const etag = EntityTag.make("v1")
const lastModified = new Date("1994-10-29T19:43:31.900Z")
const current = { etag, lastModified }

const same = "Sat, 29 Oct 1994 19:43:31 GMT"
const before = "Sat, 29 Oct 1994 19:43:30 GMT"
const after = "Sat, 29 Oct 1994 19:43:32 GMT"

type Outcome = ReturnType<typeof Conditional.evaluate>
type Row = [method: string, headers: Record<string, string>, wanted: Outcome]

const table = (name: string, options: Partial<Parameters<typeof Conditional.evaluate>[0]>, rows: ReadonlyArray<Row>) =>
  describe(name, () => {
    it.each(rows)("%s with %j: %s", (method, headers, wanted) => {
      assert.strictEqual(Conditional.evaluate({ ...options, method, headers }), wanted)
    })
  })

describe("Conditional", () => {
  table("If-Match (RFC 9110 §13.1.1)", current, [
    ["PUT", { "if-match": '"v1"' }, "proceed"],
    ["PUT", { "if-match": '"v0", "v1"' }, "proceed"],
    ["PUT", { "if-match": "*" }, "proceed"],
    ["PUT", { "if-match": '"v2"' }, "precondition-failed"],
    ["PUT", { "if-match": 'W/"v1"' }, "precondition-failed"],
    ["PUT", { "if-match": "" }, "precondition-failed"],
    ["PUT", { "if-match": "v1" }, "precondition-failed"],
    ["GET", { "if-match": '"v2"' }, "precondition-failed"],
    ["DELETE", { "if-match": '"v1"', "if-unmodified-since": before }, "proceed"]
  ])

  table("If-Unmodified-Since (§13.1.4)", current, [
    ["PUT", { "if-unmodified-since": same }, "proceed"],
    ["PUT", { "if-unmodified-since": after }, "proceed"],
    ["PUT", { "if-unmodified-since": before }, "precondition-failed"],
    ["GET", { "if-unmodified-since": before }, "precondition-failed"],
    ["PUT", { "if-unmodified-since": "yesterday" }, "proceed"],
    ["PUT", { "if-unmodified-since": `${before}, ${before}` }, "proceed"]
  ])

  table("If-None-Match (§13.1.2)", current, [
    ["GET", { "if-none-match": '"v1"' }, "not-modified"],
    ["HEAD", { "if-none-match": 'W/"v1"' }, "not-modified"],
    ["GET", { "if-none-match": '"v0", "v1"' }, "not-modified"],
    ["GET", { "if-none-match": "*" }, "not-modified"],
    ["GET", { "if-none-match": '"v2"' }, "proceed"],
    ["GET", { "if-none-match": "v1" }, "proceed"],
    ["PUT", { "if-none-match": "*" }, "precondition-failed"],
    ["POST", { "if-none-match": 'W/"v1"' }, "precondition-failed"],
    ["PUT", { "if-none-match": '"v2"' }, "proceed"],
    ["GET", { "if-none-match": '"v2"', "if-modified-since": after }, "proceed"],
    ["GET", { "if-none-match": "rubbish", "if-modified-since": after }, "proceed"]
  ])

  table("If-Modified-Since (§13.1.3)", current, [
    ["GET", { "if-modified-since": same }, "not-modified"],
    ["HEAD", { "if-modified-since": after }, "not-modified"],
    ["GET", { "if-modified-since": before }, "proceed"],
    ["POST", { "if-modified-since": after }, "proceed"],
    // The obsolete formats, §5.6.7
    ["GET", { "if-modified-since": "Saturday, 29-Oct-94 19:43:31 GMT" }, "not-modified"],
    ["GET", { "if-modified-since": "Sat Oct 29 19:43:31 1994" }, "not-modified"],
    ["GET", { "if-modified-since": "Sun Nov  6 08:49:37 1994" }, "not-modified"],
    ["GET", { "if-modified-since": "Sat, 29 Oct 1994 19:43:31 +0000" }, "proceed"],
    ["GET", { "if-modified-since": "1994-10-29T19:43:31Z" }, "proceed"],
    ["GET", { "if-modified-since": `${after}, ${after}` }, "proceed"],
    ["GET", { "if-modified-since": "" }, "proceed"]
  ])

  table("the order (§13.2.2)", current, [
    ["GET", {}, "proceed"],
    ["GET", { "if-match": '"v2"', "if-none-match": '"v1"' }, "precondition-failed"],
    ["GET", { "if-match": '"v1"', "if-none-match": '"v1"' }, "not-modified"],
    ["GET", { "if-unmodified-since": before, "if-modified-since": after }, "precondition-failed"],
    ["GET", { "if-unmodified-since": after, "if-modified-since": after }, "not-modified"],
    // §13.2.1
    ["OPTIONS", { "if-match": '"v2"' }, "proceed"],
    ["CONNECT", { "if-none-match": "*" }, "proceed"],
    ["TRACE", { "if-unmodified-since": before }, "proceed"]
  ])

  table("a representation without validators", {}, [
    ["PUT", { "if-match": "*" }, "proceed"],
    ["PUT", { "if-match": '"v1"' }, "precondition-failed"],
    ["PUT", { "if-unmodified-since": before }, "proceed"],
    ["GET", { "if-none-match": '"v1"' }, "proceed"],
    ["GET", { "if-modified-since": after }, "proceed"]
  ])

  table("no representation", { exists: false, etag }, [
    ["PUT", { "if-match": "*" }, "precondition-failed"],
    ["PUT", { "if-match": '"v1"' }, "precondition-failed"],
    ["PUT", { "if-none-match": "*" }, "proceed"]
  ])

  table("an invalid modification date", { lastModified: new Date(Number.NaN) }, [
    ["PUT", { "if-unmodified-since": before }, "proceed"],
    ["GET", { "if-modified-since": after }, "proceed"]
  ])

  describe("ifRange (§13.1.5)", () => {
    it.each<[string | undefined, Parameters<typeof Conditional.ifRange>[1], boolean]>([
      [undefined, {}, true],
      ['"v1"', current, true],
      ['"v2"', current, false],
      ['W/"v1"', current, false],
      ['"v1"', { etag: EntityTag.make("v1", { weak: true }) }, false],
      ['"v1"', { lastModified }, false],
      ['"v1", "v2"', current, false],
      [same, current, true],
      ["Sat Oct 29 19:43:31 1994", current, true],
      [before, current, false],
      [after, current, false],
      [same, { etag }, false],
      ["*", current, false],
      ["", current, false],
      ["v1", current, false]
    ])("%j against %j: the Range is honoured: %j", (header, validators, wanted) => {
      assert.strictEqual(Conditional.ifRange(header, validators), wanted)
    })
  })

  it.each([",", '"', "\\", '"a",', " ", "Sat, ", "0"])("100 kB of %j are read in one pass", (piece) => {
    const text = piece.repeat(100_000 / piece.length)
    const start = performance.now()
    Conditional.evaluate({ ...current, method: "GET", headers: { "if-match": text } })
    Conditional.evaluate({ ...current, method: "GET", headers: { "if-none-match": text } })
    Conditional.evaluate({ ...current, method: "GET", headers: { "if-modified-since": text } })
    Conditional.ifRange(text, current)
    assert.isBelow(performance.now() - start, 1000)
  })
})
