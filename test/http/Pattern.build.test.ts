import { assert, describe, it } from "@effect/vitest"
import * as Pattern from "../../src/http/Pattern.ts"
import * as Router from "../../src/Router.ts"
import * as Seeded from "../seeded.ts"

const thrown = (f: () => unknown): string => {
  try {
    f()
  } catch (error) {
    assert.instanceOf(error, TypeError)
    return (error as TypeError).message
  }
  return assert.fail("nothing was thrown")
}

// What a client requests for a URL, matched as the server does it.
const matched = (pattern: Pattern.Pattern, url: string): Readonly<Record<string, string>> | undefined => {
  const router = Router.make([{ name: "it", methods: ["GET"], pattern, value: undefined }])
  const path = Pattern.decode(url)
  const found = path === undefined ? undefined : Router.find(router, "GET", path)
  return found?.entry === undefined ? undefined : found.params
}

describe("Pattern.build", () => {
  it.each<[string, Readonly<Record<string, string | number>>, string]>([
    ["/", {}, "/"],
    ["/users/", {}, "/users/"],
    ["/{id}", { id: "42" }, "/42"],
    ["/{id}", { id: 42 }, "/42"],
    ["/{id}", { id: "0" }, "/0"],
    ["/{id}", { id: "a b" }, "/a%20b"],
    ["/{id}", { id: "a/b" }, "/a%2Fb"],
    ["/{id}", { id: "/" }, "/%2F"],
    ["/{id}", { id: "a%b" }, "/a%25b"],
    ["/{id}", { id: "a%2Fb" }, "/a%252Fb"],
    ["/{id}", { id: "?#" }, "/%3F%23"],
    ["/{id}", { id: "рус" }, "/%D1%80%D1%83%D1%81"],
    ["/{id}", { id: "a\\b" }, "/a%5Cb"],
    ["/{id}", { id: "\n" }, "/%0A"],
    ["/{id}", { id: "..." }, "/..."],
    ["/{id}", { id: ".a" }, "/.a"],
    ["/{id}", { id: "x", other: "y" }, "/x"],
    ["/{name}.{ext}", { name: "a.b", ext: "c" }, "/a.b.c"],
    ["/{__proto__}", JSON.parse(`{ "__proto__": "x" }`), "/x"],
    ["/рус/a b", {}, "/%D1%80%D1%83%D1%81/a%20b"],
    ["/a%2Fb%25", {}, "/a%2Fb%25"],
    ["/a%3Fb%23", {}, "/a%3Fb%23"],
    ["/a\\b", {}, "/a%5Cb"],
    ["/a:b@c", {}, "/a:b@c"],
    ["/{id:\\d+}", { id: "42" }, "/42"],
    ["/{id:\\d+}", { id: 42 }, "/42"],
    ["/{a:x|y}", { a: "y" }, "/y"],
    ["/{a:[^/]+}", { a: "x/y" }, "/x%2Fy"],
    ["/{a:a/b}", { a: "a/b" }, "/a/b"],
    ["/files/{path:.*}", { path: "" }, "/files/"],
    ["/files/{path:.*}", { path: "a/b c/d" }, "/files/a/b%20c/d"],
    ["/files/{path:.*}", { path: "a//b/" }, "/files/a//b/"],
    ["/files/{path:.*}", { path: "/a" }, "/files//a"],
    ["/files/{path:.*}", { path: "%2F" }, "/files/%252F"],
    ["/files/{path:.*}", { path: "a\nb" }, "/files/a%0Ab"],
    ["/files/{path:.+}/raw", { path: "a/b" }, "/files/a/b/raw"],
    ["/files{path:.*}", { path: "/a" }, "/files/a"],
    ["/{path:.*}", { path: "" }, "/"],
    ["/{path:.*}", { path: "/evil.example" }, "/%2Fevil.example"],
    ["/{path:.*}", { path: "//evil.example/x" }, "/%2F/evil.example/x"],
    ["/{path:.*}", { path: "\\evil.example" }, "/%5Cevil.example"],
    ["/{path:.*}", { path: "/\\evil.example" }, "/%2F%5Cevil.example"],
    ["/{path:.*}", { path: "\t/evil.example" }, "/%09/evil.example"],
    ["/{path:.*}", { path: "https://evil.example" }, "/https%3A//evil.example"]
  ])("%j with %j is %j", (path, params, url) => assert.strictEqual(Pattern.build(Pattern.parse(path), params), url))

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ["/{id}", {}, `The parameter "id" of "/{id}" is missing`],
    ["/{id}", { id: undefined }, `The parameter "id" of "/{id}" is missing`],
    ["/{id:.*}", {}, `The parameter "id" of "/{id:.*}" is missing`],
    ["/{toString}", {}, `The parameter "toString" of "/{toString}" is missing`],
    ["/{id}", { id: {} }, `The parameter "id" of "/{id}" is an object; give a string or a number`],
    ["/{id}", { id: "" }, `The parameter "id" of "/{id}" is ""; it has to match [^/]+`],
    ["/{id:\\d+}", { id: "x" }, `The parameter "id" of "/{id:\\d+}" is "x"; it has to match \\d+`],
    ["/{id:\\d+}", { id: "4\n" }, `The parameter "id" of "/{id:\\d+}" is "4\\n"; it has to match \\d+`],
    ["/{id:\\d+}", { id: "1/2" }, `The parameter "id" of "/{id:\\d+}" is "1/2"; it has to match \\d+`],
    ["/{id:x|y}", { id: "xz" }, `The parameter "id" of "/{id:x|y}" is "xz"; it has to match x|y`],
    ["/{id:.+}", { id: "" }, `The parameter "id" of "/{id:.+}" is ""; it has to match .+`],
    ["/{id:[a%]+}", { id: "a%" }, `The parameter "id" of "/{id:[a%]+}" is "a%"; it has to match [a%]+`],
    ["/{id}", { id: "\ud800" }, `The parameter "id" of "/{id}" is "\\ud800"; it has to be well-formed Unicode`],
    ["/{id}", { id: "." }, `The URL "/." of "/{id}" would lead elsewhere: clients resolve "." and ".."`],
    ["/{id}/x", { id: ".." }, `The URL "/../x" of "/{id}/x" would lead elsewhere: clients resolve "." and ".."`],
    [
      "/f/{path:.*}",
      { path: "a/../../b" },
      `The URL "/f/a/../../b" of "/f/{path:.*}" would lead elsewhere: clients resolve "." and ".."`
    ],
    [
      "/{a}-{b}",
      { a: "x", b: "y-z" },
      `The URL "/x-y-z" of "/{a}-{b}" would be read back with another "a"; separate the parameters by what is not in them`
    ],
    [
      "//evil.example",
      {},
      `The URL "//evil.example" of "//evil.example" would lead elsewhere: clients read a host after "//"`
    ],
    [
      "/{a:.*}/evil.example",
      { a: "" },
      `The URL "//evil.example" of "/{a:.*}/evil.example" would lead elsewhere: clients read a host after "//"`
    ],
    ["/{a:[/a]*}", { a: "/a" }, `The URL "//a" of "/{a:[/a]*}" would lead elsewhere: clients read a host after "//"`]
  ])("%j with %j is a TypeError: %s", (path, params, message) => {
    assert.strictEqual(
      // The types refuse some of these values; JavaScript does not.
      thrown(() => Pattern.build(Pattern.parse(path), params as Readonly<Record<string, string>>)),
      message
    )
  })

  const hostile = [
    ..."aZ09-._~!$&'()*+,;=:@/\\%?#[]{}|<>\"^` \t\n\r\0",
    "..",
    "//",
    "%2F",
    "%25",
    "%2f",
    "ü",
    "р",
    "😀",
    "\u2028",
    "\ufeff",
    "evil.example",
    "__proto__"
  ]
  const patterns = [
    "/{a}",
    "/{a}/",
    "/x/{a}/y/{b}",
    "/{a:.*}",
    "/{a:.+}",
    "/x{a:.*}",
    "/{a:[^/]+}/{b:.*}",
    "/{a}.{b}",
    "/{a}/{b:.*}/{c}",
    "/{a:[^/]*}/{b}"
  ].map(Pattern.parse)

  it("a URL that is built stays on the host and gives its values back", () => {
    const seeded = Seeded.make(1)
    const text = () => Array.from({ length: seeded.below(6) }, () => seeded.pick(hostile)).join("")
    let built = 0
    for (let round = 0; round < 20_000; round++) {
      const pattern = seeded.pick(patterns)
      const values = Object.fromEntries(pattern.names.map((name) => [name, text()]))
      let url: string
      try {
        url = Pattern.build(pattern, values)
      } catch (error) {
        assert.instanceOf(error, TypeError)
        continue
      }
      built++
      const { href, pathname } = new URL(url, "http://here.example")
      assert.strictEqual(href, `http://here.example${url}`)
      const params = matched(pattern, pathname)
      assert.deepStrictEqual({ ...params }, values, `${pattern.path} ${url}`)
    }
    assert.isAbove(built, 10_000)
  })
})
