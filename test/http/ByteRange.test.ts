import { assert, describe, it } from "@effect/vitest"
import * as ByteRange from "../../src/http/ByteRange.ts"

const MAX = Number.MAX_SAFE_INTEGER

describe("ByteRange", () => {
  describe("coalesce", () => {
    type Ranges = Array<[start: number, end: number]>
    it.each<[Ranges, Ranges]>([
      [[], []],
      [[[0, 10]], [[0, 10]]],
      [
        [
          [20, 30],
          [0, 10]
        ],
        [
          [20, 30],
          [0, 10]
        ]
      ],
      [
        [
          [0, 10],
          [10, 20]
        ],
        [[0, 20]]
      ],
      [
        [
          [0, 10],
          [15, 20]
        ],
        [[0, 20]]
      ],
      [
        [
          [0, 10],
          [16, 20]
        ],
        [
          [0, 10],
          [16, 20]
        ]
      ],
      [
        [
          [0, 100],
          [10, 20],
          [30, 40]
        ],
        [[0, 100]]
      ],
      [
        [
          [50, 60],
          [0, 10],
          [55, 70],
          [8, 12]
        ],
        [
          [50, 70],
          [0, 12]
        ]
      ]
    ])("%j with gaps of 5 is %j", (ranges, wanted) => {
      const given = ranges.map(([start, end]) => ({ start, end }))
      assert.deepStrictEqual(
        ByteRange.coalesce(given, 5).map(({ end, start }) => [start, end]),
        wanted
      )
    })
  })

  describe("parse", () => {
    it.each<[string | undefined, ReturnType<typeof ByteRange.parse>]>([
      [undefined, undefined],
      ["", undefined],
      // RFC 9110 §14.1.2
      ["bytes=0-499", [{ first: 0, last: 499 }]],
      ["bytes=500-999", [{ first: 500, last: 999 }]],
      ["bytes=-500", [{ suffix: 500 }]],
      ["bytes=9500-", [{ first: 9500, last: undefined }]],
      ["bytes=0-0,-1", [{ first: 0, last: 0 }, { suffix: 1 }]],
      ["bytes= 0-999, 4500-5499, -1000", [{ first: 0, last: 999 }, { first: 4500, last: 5499 }, { suffix: 1000 }]],
      [
        "bytes=500-600,601-999",
        [
          { first: 500, last: 600 },
          { first: 601, last: 999 }
        ]
      ],
      [
        "bytes=,0-1, ,2-3,",
        [
          { first: 0, last: 1 },
          { first: 2, last: 3 }
        ]
      ],
      ["BYTES=0-1", [{ first: 0, last: 1 }]],
      ["bytes=-0", [{ suffix: 0 }]],
      ["bytes=007-008", [{ first: 7, last: 8 }]],
      ["bytes=0-99999999999999999999", [{ first: 0, last: MAX }]],
      ["bytes=99999999999999999998-99999999999999999999", [{ first: MAX, last: MAX }]],
      // Another unit is ignored
      ["items=0-1", undefined],
      ["=0-1", undefined],
      ["0-1", undefined],
      // Malformed
      ["bytes", "invalid"],
      ["bytes 0-1", "invalid"],
      ["bytes =0-1", "invalid"],
      ["bytes=", "invalid"],
      ["bytes=,", "invalid"],
      ["bytes=-", "invalid"],
      ["bytes=5", "invalid"],
      ["bytes=2-1", "invalid"],
      ["bytes=0-1,2-1", "invalid"],
      ["bytes=0 - 1", "invalid"],
      ["bytes=a-b", "invalid"],
      ["bytes=1.5-2", "invalid"],
      ["bytes=--1", "invalid"],
      ["bytes=+1-2", "invalid"],
      ["bytes=٠-٩", "invalid"],
      ["bytes=0-1\n", "invalid"],
      ["bytes=0-1;2-3", "invalid"]
    ])("%j is %j", (header, wanted) => assert.deepStrictEqual(ByteRange.parse(header), wanted))

    it("100 ranges are read, 101 are invalid", () => {
      assert.lengthOf(ByteRange.parse(`bytes=${"0-0,".repeat(100)}`) ?? [], 100)
      assert.strictEqual(ByteRange.parse(`bytes=${"0-0,".repeat(101)}`), "invalid")
    })
  })

  describe("resolve", () => {
    it.each<[ReadonlyArray<ByteRange.Spec>, number, ReturnType<typeof ByteRange.resolve>]>([
      [[{ first: 0, last: 499 }], 10_000, [{ start: 0, end: 500 }]],
      [[{ suffix: 500 }], 10_000, [{ start: 9500, end: 10_000 }]],
      [[{ first: 9500, last: undefined }], 10_000, [{ start: 9500, end: 10_000 }]],
      [
        [{ first: 0, last: 0 }, { suffix: 1 }],
        10_000,
        [
          { start: 0, end: 1 },
          { start: 9999, end: 10_000 }
        ]
      ],
      [[{ first: 0, last: MAX }], 10, [{ start: 0, end: 10 }]],
      [[{ suffix: MAX }], 10, [{ start: 0, end: 10 }]],
      [
        [
          { first: 9, last: undefined },
          { first: 10, last: 20 }
        ],
        10,
        [{ start: 9, end: 10 }]
      ],
      [[{ first: 10, last: undefined }], 10, []],
      [[{ first: MAX, last: MAX }], 10, []],
      [[{ suffix: 0 }], 10, []],
      [[{ first: 0, last: undefined }, { suffix: 5 }], 0, []]
    ])("%j of %d bytes is %j", (specs, size, wanted) => assert.deepStrictEqual(ByteRange.resolve(specs, size), wanted))
  })

  // RFC 9110 §14.4
  it("Content-Range names the last byte, not the end", () => {
    assert.strictEqual(ByteRange.contentRange(42, 1234, 1234), "bytes 42-1233/1234")
    assert.strictEqual(ByteRange.contentRange(9500, 10_000, 10_000), "bytes 9500-9999/10000")
  })

  it("Content-Range of a 416 names the size", () => assert.strictEqual(ByteRange.unsatisfied(1234), "bytes */1234"))

  it.each([",", "9", "-", "0-0,", "bytes=", " "])("100 kB of %j are read in one pass", (piece) => {
    const start = performance.now()
    ByteRange.parse(`bytes=${piece.repeat(100_000 / piece.length)}`)
    ByteRange.parse(`bytes=0-${piece.repeat(100_000 / piece.length)}`)
    assert.isBelow(performance.now() - start, 1000)
  })
})
