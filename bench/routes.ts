/**
 * What one look-up costs as the table grows from 10 to 10,000 routes, in this process: each size as a ratio to 10 routes
 * of the same router in the same round. Effect's own router runs in the same rounds, as the
 * baseline.
 */
import { existsSync } from "node:fs"
import * as FindMyWay from "effect/http/FindMyWay"
import * as Machine from "./harness/Machine.ts"
import * as Report from "./harness/Report.ts"
import { median } from "./harness/Result.ts"

type Find = (path: string) => unknown
/** A router's name and how it is made from patterns written as `/r1/items/{id}`. */
interface Candidate {
  readonly name: string
  readonly make: (patterns: ReadonlyArray<string>) => Find
}

const sizes = [10, 100, 1000, 10_000]
const rounds = 7
const lookups = 200_000
const kinds = [
  { name: "fixed", pattern: (index: number) => `/r${index}/items`, path: (index: number) => `/r${index}/items` },
  {
    name: "pattern",
    pattern: (index: number) => `/r${index}/items/{id}`,
    path: (index: number) => `/r${index}/items/42`
  }
]

const effectRouter: Candidate = {
  name: "effect-router",
  make: (patterns) => {
    const router = FindMyWay.make<string>()
    for (const pattern of patterns) {
      router.on("GET", pattern.replace(/\{(\w+)\}/g, ":$1") as FindMyWay.PathInput, pattern)
    }
    return (path) => router.find("GET", path)
  }
}

/** The built library, loaded late so that the baseline runs without it. Decodes the path too, as the other router does. */
const effectWeb = async (): Promise<Candidate | undefined> => {
  if (!existsSync(new URL("../dist/Router.js", import.meta.url))) return undefined
  const Router = await import("../dist/Router.js")
  const Pattern = await import("../dist/http/Pattern.js")
  return {
    name: "effect-web",
    make: (patterns) => {
      const router = Router.make(
        patterns.map((path) => ({ name: path, methods: ["GET"], pattern: Pattern.parse(path), value: path }))
      )
      return (path) => Router.find(router, "GET", Pattern.decode(path) ?? path).entry
    }
  }
}

/** CPU time of one look-up, in nanoseconds, over paths spread through the whole table. */
const nanosPerLookup = (find: Find, paths: ReadonlyArray<string>): number => {
  const before = process.cpuUsage()
  for (let index = 0; index < lookups; index++) find(paths[index % paths.length]!)
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1000) / lookups
}

/** By candidate, by size: one time a round; every round measures all of them in turn. */
const measure = (candidates: ReadonlyArray<Candidate>, { pattern, path }: (typeof kinds)[number]) => {
  const tables = candidates.map(({ name, make }) =>
    sizes.map((size) => {
      const find = make(Array.from({ length: size }, (_, index) => pattern(index)))
      // Ten paths whatever the size: the processor's caches see the same variety in every column.
      const paths = Array.from({ length: 10 }, (_, index) => path(Math.floor(((index + 0.5) * size) / 10)))
      const nanos: Array<number> = []
      const lost = paths.find((one) => find(one) === undefined)
      if (lost !== undefined) throw new Error(`${name} did not find ${lost} among ${size} routes`)
      return { find, paths, nanos }
    })
  )
  for (const { find, paths } of tables.flat()) nanosPerLookup(find, paths)
  for (let round = 0; round < rounds; round++) {
    for (const { find, paths, nanos } of tables.flat()) nanos.push(nanosPerLookup(find, paths))
  }
  return tables.map((bySize) => bySize.map(({ nanos }) => nanos))
}

const ratio = (nanos: ReadonlyArray<number>, over: ReadonlyArray<number>): string =>
  median(nanos.map((value, round) => value / over[round]!)).toFixed(2)

console.log(`# Look-ups from ${sizes[0]} to ${sizes.at(-1)} routes\n\n${Report.machine(Machine.describe())}`)
const library = await effectWeb()
if (library === undefined) console.log("- **effect-web skipped**: no dist/ (npm ci && npm run build in the root)\n")
const candidates = library === undefined ? [effectRouter] : [effectRouter, library]

for (const kind of kinds) {
  const [baseline, ours] = measure(candidates, kind)
  const growth = (name: string, bySize = baseline!) => [name, ...bySize.map((nanos) => ratio(nanos, bySize[0]!))]
  const lines = [growth("effect-router, over its 10 routes")]
  if (ours !== undefined) {
    lines.push(growth("effect-web, over its 10 routes", ours))
    lines.push(["effect-web, over effect-router", ...ours.map((nanos, size) => ratio(nanos, baseline![size]!))])
  }
  console.log(`### ${kind.name}: ${kind.path(7)}\n\n${Report.table(["CPU per look-up", ...sizes.map(String)], lines)}`)
}
