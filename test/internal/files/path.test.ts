import { assert, describe, it } from "@effect/vitest"
import * as FilePath from "../../../src/internal/files/path.ts"

describe("the path of a request", () => {
  it.each<[string, string | undefined]>([
    ["", "/"],
    ["a", "a"],
    ["a/", "a/"],
    ["a/b.txt", "a/b.txt"],
    ["a%20b/%C3%BC", "a b/ü"],
    ["a%3Ab", "a:b"],
    [".well-known/x", ".well-known/x"],
    [".well-known/", ".well-known/"],
    ["..", undefined],
    [".", undefined],
    ["a/..", undefined],
    ["a/%2e%2E/b", undefined],
    ["/", undefined],
    ["/a", undefined],
    ["a//b", undefined],
    ["a//", undefined],
    ["%2f", undefined],
    ["a%5cb", undefined],
    ["a\\b", undefined],
    ["%00", undefined],
    ["a%00", undefined],
    ["%", undefined],
    ["%ff", undefined],
    ["%e0%80%af", undefined],
    ["%c0%ae%c0%ae", undefined],
    [".a", undefined],
    ["a/.b", undefined],
    ["a/.well-known", undefined],
    ["%2ea", undefined],
    ["...", undefined]
  ])("%j is %j", (path, wanted) => {
    const parsed = FilePath.parse(path, false)
    assert.strictEqual(parsed && parsed.segments.join("/") + (parsed.isDirectory ? "/" : ""), wanted)
  })

  it("may have dots where they are allowed, but never leads up", () => {
    assert.deepStrictEqual(FilePath.parse(".a/...", true)?.segments, [".a", "..."])
    for (const path of ["..", "a/..", ".", "%2e%2e"]) assert.isUndefined(FilePath.parse(path, true))
  })
})

describe("a name on Windows is plain", () => {
  const names: ReadonlyArray<readonly [name: string, plain: boolean]> = [
    ["file.txt", true],
    ["con", false],
    ["CON.txt", false],
    ["nul", false],
    ["com1", false],
    ["lpt9.log", false],
    ["conin$", false],
    ["console", true],
    ["file.txt.", false],
    ["file.txt ", false],
    ["file.txt::$DATA", false],
    ["c:", false],
    ["a*b", false],
    ["a?b", false],
    ["a|b", false],
    ["PROGRA~1", false],
    ["LONGFI~1.TXT", false],
    ["a~b", true]
  ]
  it.each(names)("%j: %s", (name, plain) => {
    for (const root of ["C:\\site", "c:/site", "\\\\host\\share"]) {
      assert.strictEqual(FilePath.isPlain(name, root), plain)
    }
    assert.isTrue(FilePath.isPlain(name, "/srv/site"))
  })
})

describe("a real path is inside of a root", () => {
  it.each<[root: string, path: string, wanted: boolean]>([
    ["/srv", "/srv", true],
    ["/srv", "/srv/a", true],
    ["/srv", "/srv2/a", false],
    ["/srv", "/", false],
    ["/", "/a", true],
    ["C:\\site", "C:\\site\\a", true],
    ["C:\\site", "C:\\site2", false],
    ["C:\\", "C:\\a", true]
  ])("%s, %s: %s", (root, path, wanted) => assert.strictEqual(FilePath.isInside(root, path), wanted))
})

describe("the path of an option", () => {
  it.each<[string | URL, string]>([
    ["public", "public"],
    [new URL("file:///srv/a%20b"), "/srv/a b"],
    [new URL("file:///C:/site/a"), "C:/site/a"]
  ])("%s is %s", (option, wanted) => assert.strictEqual(FilePath.fromOption(option), wanted))
})
