import { assert, describe, it } from "@effect/vitest"
import * as Pattern from "../src/http/Pattern.ts"
import * as Router from "../src/Router.ts"
import * as Seeded from "./seeded.ts"

describe("random tables of a Router", () => {
  type Piece = readonly [text: string, regex: string]
  // Pieces of a segment with the regex that each of them is, written down independently.
  const segments: ReadonlyArray<Piece> = [
    ["a", "a"],
    ["b", "b"],
    ["", ""],
    ["{_}", "[^/]+"],
    ["{_:\\d}", "\\d"],
    ["{_:[ab]}", "[ab]"],
    ["{_:\\d*}", "\\d*"],
    ["{_:[^/]+}", "[^/]+"],
    ["a{_}", "a[^/]+"],
    ["{_}{_:\\d}", "[^/]+\\d"]
  ]
  const ends: ReadonlyArray<Piece> = [
    ["/{_:.*}", "/.*"],
    ["/{_:.+}", "/.+"],
    ["/a{_:.*}", "/a.*"],
    ["/{_:.*}/b", "/.*/b"],
    ["{_:/a|}", "(?:/a|)"]
  ]
  const methods = ["GET", "HEAD", "POST", "*"]

  interface Row {
    readonly entry: Router.Entry<number>
    readonly key: string
    readonly regex: RegExp
    readonly fixed: string | undefined
    readonly methods: ReadonlyArray<string> | undefined
  }

  const randomRow = (seeded: Seeded.Seeded, index: number): Row => {
    const parts = Array.from({ length: 1 + seeded.below(3) }, () => seeded.pick(segments))
    const pieces = parts.map(([text, regex]): Piece => [`/${text}`, `/${regex}`])
    if (seeded.chance(0.25)) pieces.push(seeded.pick(ends))
    const boundary = seeded.chance(0.1)
    const subtree = !boundary && seeded.chance(0.05)
    const methodOf = boundary || subtree ? "*" : seeded.pick(methods)
    const key = pieces.map(([text]) => text).join("")
    let count = 0
    const path = key.replaceAll("_", () => `${seeded.pick(["p", "q"])}${count++}`)
    const tail = boundary || subtree ? "(?:/.*)?" : ""
    const only = methodOf === "*" ? undefined : [methodOf]
    return {
      entry: {
        name: `${index}`,
        methods: only,
        pattern: Pattern.parse(path),
        ...(boundary && { boundary }),
        ...(subtree && { subtree }),
        value: index
      },
      key: `${key}${tail}`,
      regex: new RegExp(`^${pieces.map(([, regex]) => regex).join("")}${tail}$`, "us"),
      fixed: count === 0 && tail === "" ? path : undefined,
      methods: only
    }
  }

  // The documented rules, by looking at every route.
  const naive = (rows: ReadonlyArray<Row>, method: string, path: string) => {
    const choose = (group: ReadonlyArray<Row>) => {
      const wanted = [[method], ...(method === "HEAD" ? [["GET"]] : []), undefined]
      const able = group.filter(({ methods }) => wanted.some((one) => one?.[0] === methods?.[0]))
      const row = wanted.flatMap((one) => able.filter(({ methods }) => methods?.[0] === one?.[0]))[0]
      return row && { row, place: Math.min(...able.map((each) => rows.indexOf(each))) }
    }
    const fixed = rows.filter((row) => row.fixed === path)
    const exact = choose(fixed)
    if (exact !== undefined) return { found: exact.row }
    const near = rows.filter(({ fixed, regex }) => fixed === undefined && regex.test(path))
    const groups = [...Map.groupBy(near, ({ key }) => key).values()]
    const all = groups.map(choose).filter((each) => each !== undefined)
    const best = all.sort((a, b) => a.place - b.place)[0]
    if (best !== undefined && !best.row.entry.boundary) return { found: best.row }
    const open = groups.flatMap((group) =>
      group.filter(
        (row) => row.methods !== undefined && Math.min(...placesOf(row, group, rows)) < (best?.place ?? Infinity)
      )
    )
    const allowed = new Set([...fixed, ...open].flatMap(({ methods }) => methods ?? []))
    if (allowed.has("GET")) allowed.add("HEAD")
    if (allowed.size > 0) allowed.add("OPTIONS")
    return { allowed: [...allowed].sort() }
  }

  // A route stands where the first of its path stands that would take its method.
  const placesOf = (row: Row, group: ReadonlyArray<Row>, rows: ReadonlyArray<Row>) =>
    group
      .filter(
        ({ methods }) =>
          methods === undefined ||
          methods[0] === row.methods?.[0] ||
          (row.methods?.[0] === "HEAD" && methods[0] === "GET")
      )
      .map((each) => rows.indexOf(each))

  const names = ["", "a", "b", "1", "ab", "a1", "x/"]
  const universe = names.flatMap((one) => [
    `/${one}`,
    ...names.flatMap((two) => [`/${one}/${two}`, ...names.map((three) => `/${one}/${two}/${three}`)])
  ])
  const requests = ["GET", "HEAD", "POST", "PUT"]

  it("answer as a search through all routes by the rules would", () => {
    const seeded = Seeded.make(7)
    let tables = 0
    let hits = 0
    while (tables < 1500) {
      const rows: Array<Row> = []
      const length = 1 + seeded.below(8)
      while (rows.length < length) {
        rows.push(randomRow(seeded, rows.length))
        try {
          Router.make(rows.map(({ entry }) => entry))
        } catch {
          rows.pop()
        }
      }
      tables++
      const table = Router.make(rows.map(({ entry }) => entry))
      for (let round = 0; round < 40; round++) {
        const [method, path] = [seeded.pick(requests), seeded.pick(universe)]
        const found = Router.find(table, method, path)
        const wanted = naive(rows, method, path)
        const label = () =>
          `${method} ${path} in\n${rows.map(({ entry }) => `${entry.methods ?? "*"} ${entry.pattern.path}${entry.boundary ? "..." : entry.subtree ? "***" : ""}`).join("\n")}`
        if (found.entry === undefined) assert.deepStrictEqual<object>({ allowed: found.allowed }, wanted, label())
        else {
          hits++
          assert.strictEqual(found.entry.value, wanted.found?.entry.value, label())
          const { pattern, subtree } = found.entry
          if (!subtree) assert.deepStrictEqual({ ...found.params }, { ...pattern.regex.exec(path)?.groups }, label())
        }
      }
    }
    assert.isAbove(hits, 4000)
  })

  it("refuse no route that a request reaches", () => {
    const seeded = Seeded.make(11)
    let refused = 0
    for (let round = 0; round < 20_000; round++) {
      const rows = [randomRow(seeded, 0), randomRow(seeded, 1)]
      try {
        Router.make(rows.map(({ entry }) => entry))
      } catch (error) {
        assert.instanceOf(error, TypeError)
        refused++
        const [first, second] = rows as [Row, Row]
        const hidden = (method: string) =>
          first.methods === undefined ||
          first.methods[0] === method ||
          (method === "HEAD" && first.methods[0] === "GET")
        for (const method of second.methods ?? requests) {
          for (const path of universe) {
            if (second.regex.test(path)) {
              assert.isTrue(
                first.regex.test(path) && hidden(method),
                `${method} ${path}: ${first.key} does not hide ${second.key}`
              )
            }
          }
        }
      }
    }
    assert.isAbove(refused, 200)
  })
})
