import { assert, describe, it } from "@effect/vitest"
import * as ContentType from "../../src/http/ContentType.ts"

describe("the content type of a name", () => {
  it.each<[string, string]>([
    ["index.html", "text/html; charset=utf-8"],
    ["INDEX.HTM", "text/html; charset=utf-8"],
    ["a/b/style.css", "text/css; charset=utf-8"],
    ["app.js", "text/javascript; charset=utf-8"],
    ["app.mjs", "text/javascript; charset=utf-8"],
    ["data.json", "application/json"],
    ["app.js.map", "application/json"],
    ["app.webmanifest", "application/manifest+json"],
    ["note.txt", "text/plain; charset=utf-8"],
    ["table.csv", "text/csv; charset=utf-8"],
    ["read.md", "text/markdown; charset=utf-8"],
    // It says its encoding itself
    ["feed.xml", "application/xml"],
    ["logo.svg", "image/svg+xml"],
    ["photo.JPG", "image/jpeg"],
    ["photo.avif", "image/avif"],
    ["favicon.ico", "image/vnd.microsoft.icon"],
    ["font.woff2", "font/woff2"],
    ["film.mp4", "video/mp4"],
    ["song.flac", "audio/x-flac"],
    ["list.m3u8", "application/vnd.apple.mpegurl"],
    ["code.wasm", "application/wasm"],
    ["paper.pdf", "application/pdf"],
    ["sheet.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
    ["all.tar.gz", "application/gzip"],
    ["all.7z", "application/x-7z-compressed"],
    // Nothing is known of these
    ["LICENSE", "application/octet-stream"],
    ["html", "application/octet-stream"],
    ["a.html/b", "application/octet-stream"],
    ["a.", "application/octet-stream"],
    ["", "application/octet-stream"],
    ["a.constructor", "application/octet-stream"],
    ["a.__proto__", "application/octet-stream"],
    ["a.unheardof", "application/octet-stream"]
  ])("%j is %j", (name, wanted) => assert.strictEqual(ContentType.forName(name), wanted))

  it("is the one given for its extension", () => {
    assert.strictEqual(ContentType.forName("a.GLB", { glb: "model/x" }), "model/x")
    assert.strictEqual(ContentType.forName("a.html", { html: "text/x" }), "text/x")
  })
})
