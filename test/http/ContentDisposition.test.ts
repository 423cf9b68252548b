import { assert, describe, it } from "@effect/vitest"
import * as ContentDisposition from "../../src/http/ContentDisposition.ts"

describe("ContentDisposition", () => {
  it.each<["attachment" | "inline", string | undefined, string]>([
    ["attachment", undefined, "attachment"],
    ["inline", "", "inline"],
    // RFC 6266 §5
    ["attachment", "example.html", 'attachment; filename="example.html"'],
    ["inline", "an example.html", 'inline; filename="an example.html"'],
    ["attachment", "€ rates", `attachment; filename="_ rates"; filename*=UTF-8''%E2%82%AC%20rates`],
    ["attachment", "naïve.txt", `attachment; filename="na_ve.txt"; filename*=UTF-8''na%C3%AFve.txt`],
    ["attachment", "🎉.txt", `attachment; filename="_.txt"; filename*=UTF-8''%F0%9F%8E%89.txt`],
    // RFC 8187 §3.2.1: attr-char
    [
      "attachment",
      "é!#$&+-.^_`|~'()*%\"",
      `attachment; filename="_!#$&+-.^_\`|~'()*%_"; filename*=UTF-8''%C3%A9!%23%24%26%2B-.%5E_%60%7C~%27%28%29%2A%25%22`
    ],
    // RFC 6266 Appendix D: some clients know no escapes, some decode percent-encoding in the plain form
    ["attachment", 'the "plan".pdf', `attachment; filename="the _plan_.pdf"; filename*=UTF-8''the%20%22plan%22.pdf`],
    ["attachment", "100%41.txt", `attachment; filename="100%41.txt"; filename*=UTF-8''100%2541.txt`],
    ["attachment", "100%.txt", 'attachment; filename="100%.txt"'],
    // Nothing leaves the directory, nothing leaves the header
    ["attachment", "../etc/passwd", 'attachment; filename=".._etc_passwd"'],
    ["attachment", "C:\\a.exe", 'attachment; filename="C:_a.exe"'],
    ["attachment", "a\r\nSet-Cookie: b=c", 'attachment; filename="a__Set-Cookie: b=c"'],
    ["attachment", "a\0\t\x7f\x85b", 'attachment; filename="a____b"'],
    ["attachment", "é/\r\n", `attachment; filename="____"; filename*=UTF-8''%C3%A9___`],
    ["attachment", "\ud800x", `attachment; filename="_x"; filename*=UTF-8''%EF%BF%BDx`]
  ])("%s of %j is %s", (type, filename, wanted) => {
    assert.strictEqual(ContentDisposition.format(type, filename), wanted)
  })

  it("no character of a file name gets a control character into the header", () => {
    const every = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).join("")
    assert.match(ContentDisposition.format("attachment", every), /^[\x20-\x7e]+$/)
  })
})
