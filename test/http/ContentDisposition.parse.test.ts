/**
 * Content-Disposition as parts have it: names and file names from browsers, curl and mail, and those that are meant to harm.
 */
import { assert, describe, it } from "@effect/vitest"
import * as ContentDisposition from "../../src/http/ContentDisposition.ts"

const parsed = (name: string | undefined, filename: string | undefined, type = "form-data") => ({
  type,
  name,
  filename
})

describe("a Content-Disposition is read", () => {
  const rows: ReadonlyArray<readonly [string, string, ContentDisposition.ContentDisposition | undefined]> = [
    ["with a name", 'form-data; name="a"', parsed("a", undefined)],
    ["with a file", 'form-data; name="a"; filename="b.txt"', parsed("a", "b.txt")],
    ["in any case", 'FORM-data; NAME="A"; FileName="B"', parsed("A", "B")],
    ["without parameters", "attachment", parsed(undefined, undefined, "attachment")],
    ["without quotes", "form-data; name=a; filename=b.txt", parsed("a", "b.txt")],
    ["without quotes, with spaces", "form-data; name=a; filename=my file.txt ; x=y", parsed("a", "my file.txt")],
    ["with empty values", 'form-data; name=""; filename=""', parsed("", "")],
    ["with a semicolon in quotes", 'form-data; name="a;b"; filename="c=d;e"', parsed("a;b", "c=d;e")],
    ["with white space around", 'form-data ;\tname="a" ; filename="b"', parsed("a", "b")],
    ["with empty parameters", 'form-data;; name="a";', parsed("a", undefined)],
    ["in UTF-8", 'form-data; name="ä"; filename="€ 😀.txt"', parsed("ä", "€ 😀.txt")],
    ["with quotes escaped by a backslash", String.raw`form-data; name="a\"b"; filename="\\c"`, parsed('a"b', "\\c")],
    [
      "with the path of a Windows client",
      String.raw`form-data; name="a"; filename="C:\new\b.txt"`,
      parsed("a", "C:\\new\\b.txt")
    ],
    ["with a backslash at the end", String.raw`form-data; name="a"; filename="C:\dir\"`, parsed("a", "C:\\dir\\")],
    ["with what browsers escape", 'form-data; name="a%22%0D%0Ab"; filename="%22.txt"', parsed('a"\r\nb', '".txt')],
    ["with other percent signs", 'form-data; name="100%25"; filename="%41.txt"', parsed("100%25", "%41.txt")],
    ["with an extended value", "form-data; name=a; filename*=UTF-8''%E2%82%AC%20rates", parsed("a", "€ rates")],
    [
      "with an extended value before a plain one",
      "attachment; filename=x; filename*=iso-8859-1'en'%A3",
      parsed(undefined, "£", "attachment")
    ],
    ["with an extended value in quotes", `form-data; name=a; filename*="utf-8''b%20c"`, parsed("a", "b c")],
    ["with an extended name", "form-data; name*=UTF-8''%C3%A4", parsed("ä", undefined)],
    ["with an extended value without a charset", "form-data; name=a; filename*=''b", parsed("a", "b")],
    [
      "with an extended value that is broken: the plain one",
      "form-data; name=a; filename=b; filename*=UTF-8''%E2%8",
      parsed("a", "b")
    ],
    [
      "with bytes that are not in their charset",
      "form-data; name=a; filename=b; filename*=UTF-8''%FF",
      parsed("a", "b")
    ],
    ["with a charset that is not known", "form-data; name=a; filename=b; filename*=klingon''c", parsed("a", "b")],
    ["in continuations", 'attachment; filename*0="a b"; filename*1=".txt"', parsed(undefined, "a b.txt", "attachment")],
    [
      "in continuations in any order, some of them encoded",
      `form-data; name=a; filename*1*=%20b%E2; filename*0*=UTF-8'en'%E2%82%AC; filename*2*=%82%AC; filename*3=".txt%20"`,
      parsed("a", "€ b€.txt%20")
    ],
    ["in continuations with one missing", 'form-data; name=a; filename*0="b"; filename*2="c"', parsed("a", "b")],
    ["not without a type", '; name="a"', undefined],
    ["not when it is empty", "", undefined],
    ["not with a name twice", 'form-data; name="a"; name="b"', undefined],
    ["not with a file name twice", 'form-data; name="a"; filename="b"; FILENAME="c"', undefined],
    ["not with a parameter without a value", "form-data; name", undefined],
    ["not with a quote that is not closed", 'form-data; name="a', undefined],
    ["not with something behind a quote", 'form-data; name="a"b', undefined],
    ["not with something behind the type", "form-data name=a", undefined],
    ["with a name that objects have", 'form-data; name="__proto__"; __proto__=x', parsed("__proto__", undefined)]
  ]
  for (const [name, text, wanted] of rows) {
    it(name, () => assert.deepStrictEqual(ContentDisposition.parse(text), wanted))
  }
})

describe("the base name of", () => {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["photo.jpg", "photo.jpg"],
    ["€ 😀.txt", "€ 😀.txt"],
    ["", ""],
    ["../../etc/passwd", "passwd"],
    ["/etc/passwd", "passwd"],
    ["C:\\dir\\photo.jpg", "photo.jpg"],
    ["a/b\\c", "c"],
    [".", "_"],
    ["..", "_"],
    ["a/..", "_"],
    ["...", "_"],
    ["dir/", "_"],
    ["\0", "_"],
    [".\0.", "_"],
    ["a\0b\r\nc\x7f\x85", "abc"],
    ["a\n/..\\..", "_"],
    [".htaccess", ".htaccess"],
    ["a\ud800", "a\ufffd"],
    [`${"a".repeat(300)}.jpeg`, `${"a".repeat(195)}.jpeg`],
    [`${"ä".repeat(150)}.txt`, `${"ä".repeat(98)}.txt`],
    ["x".repeat(200), "x".repeat(200)],
    [`x.${"y".repeat(300)}`, `x.${"y".repeat(198)}`]
  ]
  for (const [filename, wanted] of rows) {
    it(`${JSON.stringify(filename.slice(0, 40))} is ${JSON.stringify(wanted.slice(0, 40))}`, () =>
      assert.strictEqual(ContentDisposition.baseName(filename), wanted))
  }
})
