import { assert, describe, it } from "@effect/vitest"
import { router } from "./routers.ts"

describe("a route that a Router never reaches is refused", () => {
  const duplicate = (a: string, b: string) =>
    `The routes ${show(a)} and ${show(b)} answer the same requests; remove one or change its path`
  const shadowed = (a: string, b: string) =>
    `The route ${show(b)} is never reached, ${show(a)} takes its requests; declare it before that one`
  const show = (text: string) =>
    `"${text}" (${text
      .replace(/\*\*\*$/, "...")
      .replace("* ", "any method ")
      .replaceAll(",", ", ")})`

  it.each([
    ["GET /a", "GET /a"],
    ["GET /a", "PUT,GET /a"],
    ["GET,GET /a", ""],
    ["* /a", "* /a"],
    ["GET /", "GET /"],
    ["GET /a:b", "GET /a%3Ab"],
    ["GET /a%2fb", "GET /a%2Fb"],
    ["GET /{a}", "GET /{b}"],
    ["* /{a}", "* /{b}"],
    ["GET /{a}.{b}", "GET /{c}.{d}"],
    ["GET /{a:\\d+}", "GET /{b:\\d+}"],
    ["GET /x/{a:.*}", "GET /x/{b:.*}"],
    ["GET /x{a:.*}", "GET /x{b:.*}"],
    ["* /m/...", "* /m/..."],
    ["* /{a}/...", "* /{b}/..."],
    ["* /m/***", "* /m/..."]
  ])("%j and %j are duplicates", (a, b) => {
    const routes = b === "" ? [a] : [a, b]
    assert.throws(() => router(...routes), TypeError, duplicate(a, b || a))
  })

  it.each([
    ["GET /{a}", "GET /{b:\\d+}"],
    ["GET /{a}", "GET /x{b}"],
    ["GET /{a}", "GET /{b}.{c}"],
    ["GET /{a}", "HEAD /{b:\\d+}"],
    ["GET /{a}", "GET,POST /{b:\\d+}"],
    ["* /{a}", "GET /{b:\\d+}"],
    ["* /{a}", "* /{b:\\d+}"],
    ["GET /{a}/{b}", "GET /x/{b}"],
    ["GET /{a}/{b}", "GET /{a}/x{b}"],
    ["GET /{a}/", "GET /{b:\\d+}/"],
    ["GET /{a:\\d+}/{b}", "GET /{c:\\d+}/{d:\\d+}"],
    ["GET /{p:.*}", "GET /{a}"],
    ["GET /{p:.*}", "GET /{a:\\d*}"],
    ["GET /{p:.*}", "GET /x/{a}"],
    ["GET /{p:.*}", "GET /{a}/"],
    ["GET /{p:.*}", "GET /{q:.+}"],
    ["GET /{p:.*}", "GET /{q:.*}/x"],
    ["GET /{p:.*}", "GET /x/{q:.*}"],
    ["GET /{p:.*}", "GET /x{q:.*}"],
    ["GET /x/{p:.*}", "GET /x/{a}/y"],
    ["GET /{a}/{p:.*}", "GET /x/{q:.*}"],
    ["GET /{p:.+}", "GET /{a}"],
    ["GET /{p:.+}", "GET /{a}/"],
    ["GET /{p:.+}", "GET /x/{a:\\d*}"],
    ["GET /{p:.+}", "GET /{n:\\d*}/x"],
    ["GET /{p:.+}", "GET /{n:\\d*}/{q:.*}"],
    ["GET /x/{p:.+}", "GET /x/y/{q:.*}"],
    ["* /m/...", "GET /m/{a}"],
    ["* /m/...", "GET /m/{p:.*}"],
    ["* /m/...", "GET /m/x/{a}"],
    ["* /m/...", "* /m/x/..."],
    ["* /m/...", "* /m/x/***"],
    ["* /m/***", "GET /m/{a}"],
    ["* /m/***", "* /m/x/..."],
    ["* /{a}/...", "GET /x/{b}"],
    ["* /{a}/...", "GET /{b:\\d+}/x"],
    ["* /...", "GET /{a}"],
    ["* /{p:.*}", "* /m/***"]
  ])("%j hides %j", (a, b) => assert.throws(() => router(a, b), TypeError, shadowed(a, b)))
})

describe("a route that a Router can reach is accepted", () => {
  it.each([
    ["GET /a", "POST /a"],
    ["GET /a", "HEAD /a"],
    ["HEAD /a", "GET /a"],
    ["GET /a", "* /a"],
    ["* /a", "GET /a"],
    ["* /a", "HEAD /a"],
    ["* /{a}", "GET /{b}"],
    ["GET /a", "GET /a/"],
    ["GET /a", "GET /A"],
    ["GET /a", "GET //a"],
    ["GET /a/b", "GET /a%2Fb"],
    ["GET /{a}", "GET /a"],
    ["* /{a}", "GET /a"],
    ["GET /{p:.*}", "GET /a/b"],
    ["* /m/...", "GET /m/x"],
    ["* /m/***", "GET /m/x"],
    ["GET /{a:\\d+}", "GET /{b}"],
    ["GET /{a:\\d+}", "GET /{b:\\d{2}}"],
    ["GET /{a}", "POST /{b:\\d+}"],
    ["GET /{a}", "* /{b:\\d+}"],
    ["GET /{a}", "HEAD /{b}"],
    ["HEAD /{a}", "GET /{b:\\d+}"],
    ["POST /{a}", "HEAD /{b:\\d+}"],
    ["GET /{a}", "GET /{b}/"],
    ["GET /{a}", "GET /{b}/{c}"],
    ["GET /{a}", "GET /{b:\\d*}"],
    ["GET /{a}", "GET /{b:[^x]+}"],
    ["GET /{a}", "GET /{b:.*}"],
    ["GET /{a}/x", "GET /{a}/y{b}"],
    ["GET /x{a}", "GET /{b}"],
    ["GET /x/{b}", "GET /{a}/{b}"],
    ["GET /{a}.{b}", "GET /{c}-{d}"],
    ["GET /a%7B%7D{x:\\d}", "GET /a{b}{x:\\d}"],
    ["GET /{p:.+}", "GET /{q:.*}"],
    ["GET /{p:.+}", "GET /{n:\\d*}"],
    ["GET /{p:.+}", "GET /"],
    ["GET /x/{p:.*}", "GET /x{q:.*}"],
    ["GET /x/{p:.*}", "GET /{a}"],
    ["GET /x/{p:.*}", "GET /{a}/{b}"],
    ["GET /x/{p:.+}", "* /x/..."],
    ["* /{p:.*}", "* /m/..."],
    ["GET /{p:.*}", "* /m/..."],
    ["GET /{p:.*}", "* /m/***"],
    ["* /x/{p:.*}", "* /x/***"],
    ["* /{a}", "* /{b}/..."],
    ["* /m/x/...", "* /m/..."],
    ["* /m/...", "* /mx/..."],
    ["* /m/...", "GET /{a}"],
    ["* /m/...", "GET /{a}/{b}"],
    ["* /{a}/...", "GET /{b:\\d*}"],
    ["GET /m/{p:.*}", "* /m/..."]
  ])("%j does not hide %j", (a, b) => assert.doesNotThrow(() => router(a, b)))
})
