import { assert, describe, it } from "@effect/vitest"
import * as Accept from "../../src/http/Accept.ts"

type Row = [header: string | undefined, offers: ReadonlyArray<string>, wanted: string | undefined]

// RFC 9110 §12.5.1, the table of the second example
const rfc = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5"

describe("Accept", () => {
  describe("mediaType", () => {
    it.each<Row>([
      ["text/*;q=0.5, application/json", ["text/html", "application/json"], "application/json"],
      // No header, or nothing in it that counts
      [undefined, ["a/b", "c/d"], "a/b"],
      ["", ["a/b", "c/d"], "a/b"],
      [" , ,", ["a/b", "c/d"], "a/b"],
      ["rubbish", ["a/b", "c/d"], "a/b"],
      [undefined, [], undefined],
      ["*/*", [], undefined],
      // RFC 9110 §12.5.1
      ["audio/*; q=0.2, audio/basic", ["audio/mpeg", "audio/basic"], "audio/basic"],
      ["audio/*; q=0.2, audio/basic", ["audio/mpeg"], "audio/mpeg"],
      ["text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c", ["text/plain", "text/x-dvi"], "text/x-dvi"],
      ["text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c", ["text/x-c", "text/html"], "text/x-c"],
      [rfc, ["text/plain", "text/plain;format=flowed"], "text/plain;format=flowed"],
      [rfc, ["text/html", "text/plain"], "text/plain"],
      [rfc, ["text/html", "image/jpeg"], "image/jpeg"],
      [rfc, ["text/plain;format=fixed", "image/jpeg"], "image/jpeg"],
      [rfc, ["text/html", "text/plain;format=fixed"], "text/plain;format=fixed"],
      [rfc, ["text/html;level=3", "text/html"], "text/html;level=3"],
      // q=0 excludes, also against a wider range
      ["text/html;q=0, */*", ["text/html", "text/plain"], "text/plain"],
      ["text/*;q=0, */*", ["text/html"], undefined],
      ["*/*;q=0", ["text/html"], undefined],
      ["text/html;q=0.000", ["text/html"], undefined],
      // Ties go to the earlier offer
      ["a/b, c/d", ["c/d", "a/b"], "c/d"],
      ["*/*", ["c/d", "a/b"], "c/d"],
      ["a/b;q=0.5, a/b;q=0.9, c/d;q=0.7", ["c/d", "a/b"], "a/b"],
      // Names have no case
      ["TEXT/HTML;Level=1", ["text/html;level=1"], "text/html;level=1"],
      ['text/html;a="b,c;q=0", x/y;q=0.1', ["x/y", 'text/html; a="b,c;q=0"'], 'text/html; a="b,c;q=0"'],
      ["text/html;level=1", ["text/html"], undefined],
      ["text/plain", ["text/html"], undefined],
      ["text/html", ["nonsense", "text/html"], "text/html"],
      // Malformed elements are ignored
      ["text/html;q=2, a/b;q=0.1", ["text/html", "a/b"], "a/b"],
      ["text/html;q=, a/b", ["text/html", "a/b"], "a/b"],
      ["text/html;q=0.1234, a/b", ["text/html", "a/b"], "a/b"],
      ["text/html;q=-1, text/html;q=1e0, a/b", ["text/html", "a/b"], "a/b"],
      ["*/html, a/b", ["text/html", "a/b"], "a/b"],
      ['text/html;x="open, a/b', ["text/html", "a/b"], "a/b"],
      // What Java's HttpURLConnection sends
      ["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", ["application/json"], "application/json"],
      // What browsers send
      [
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ["application/json", "text/html"],
        "text/html"
      ]
    ])("%j and the offers %j give %j", (header, offers, wanted) => {
      assert.strictEqual(Accept.mediaType(header, offers), wanted)
    })

    it("a parameter range is compared with own parameters only", () => {
      assert.isUndefined(Accept.mediaType("a/b;tostring=x, a/b;__proto__=x", ["a/b"]))
    })
  })

  describe("encoding", () => {
    const all = ["br", "gzip", "identity"]
    it.each<Row>([
      ["gzip, br;q=0", all, "gzip"],
      // No header: aiohttp and curl expect the plain body
      [undefined, all, "identity"],
      ["", all, "identity"],
      [undefined, ["br", "gzip"], undefined],
      // RFC 9110 §12.5.3
      ["compress, gzip", all, "gzip"],
      ["*", all, "br"],
      ["compress;q=0.5, gzip;q=1.0", all, "gzip"],
      ["gzip;q=1.0, identity; q=0.5, *;q=0", all, "gzip"],
      ["gzip;q=1.0, identity; q=0.5, *;q=0", ["br", "identity"], "identity"],
      // Substrings do not count, case does not either
      ["gzipped, xbr", all, "identity"],
      ["GZIP", all, "gzip"],
      ["x-gzip", all, "gzip"],
      ["x-gzip;q=0, *", ["gzip", "identity"], "identity"],
      ["gzip", ["x-gzip"], "x-gzip"],
      // identity is the last resort unless it is named or excluded
      ["br;q=0.001", all, "br"],
      ["identity, br;q=0.9", all, "identity"],
      ["gzip;q=0", all, "identity"],
      ["identity;q=0", all, undefined],
      ["*;q=0", all, undefined],
      ["br;q=0.5, *;q=0.1", all, "br"],
      ["gzip", ["br"], undefined],
      ["identity;q=0, *", all, "br"],
      ["gzip;q=nope", all, "identity"],
      ["gzip deflate", all, "identity"],
      ["gzip, deflate, br, zstd", ["zstd", "br", "gzip"], "zstd"]
    ])("%j and the offers %j give %j", (header, offers, wanted) => {
      assert.strictEqual(Accept.encoding(header, offers), wanted)
    })
  })

  describe("language", () => {
    it.each<Row>([
      ["de-CH, en;q=0.5", ["en", "de"], "de"],
      [undefined, ["en", "de"], "en"],
      ["", ["en", "de"], "en"],
      // RFC 9110 §12.5.4
      ["da, en-gb;q=0.8, en;q=0.7", ["en", "en-GB"], "en-GB"],
      ["da, en-gb;q=0.8, en;q=0.7", ["en-US"], "en-US"],
      ["da, en-gb;q=0.8, en;q=0.7", ["fr"], undefined],
      // A more specific offer, a less specific one; the closest of several
      ["de", ["en", "de-DE"], "de-DE"],
      ["de", ["de-AT", "de"], "de"],
      ["de-CH", ["en", "de"], "de"],
      ["zh-Hant-CN", ["zh", "zh-Hant"], "zh-Hant"],
      ["de-DE", ["de-AT"], undefined],
      ["de", ["den"], undefined],
      ["den", ["de"], undefined],
      // The client's order decides between equals
      ["en-US, de", ["de", "en"], "en"],
      ["fr;q=0.2, en;q=0.9, de;q=0.9", ["fr", "de", "en"], "en"],
      ["DE-ch", ["de-CH"], "de-CH"],
      // "*" is what no other range lists
      ["*", ["en", "de"], "en"],
      ["en;q=0.1, *", ["en", "de"], "de"],
      ["en, *;q=0.1", ["de", "en"], "en"],
      ["en;q=0.1, *", ["en"], "en"],
      // q=0 excludes
      ["de;q=0, *", ["de", "de-AT", "en"], "en"],
      ["de;q=0, de-AT", ["de", "de-AT"], "de-AT"],
      ["de-CH;q=0, de", ["de"], "de"],
      ["fr, *;q=0", ["en"], undefined],
      ["de;q=x, en", ["de", "en"], "en"]
    ])("%j and the offers %j give %j", (header, offers, wanted) => {
      assert.strictEqual(Accept.language(header, offers), wanted)
    })
  })

  it.each([",", "a,", "*,", "*/*,", "a/b;q=0,", '"', '\\"', 'a;b=",', "-", "de-"])(
    "100 kB of %j are read in one pass",
    (piece) => {
      const header = piece.repeat(100_000 / piece.length)
      const start = performance.now()
      Accept.mediaType(header, ["text/html", "a/b"])
      Accept.encoding(header, ["br", "gzip", "identity"])
      Accept.language(header, ["en", "de-CH"])
      assert.isBelow(performance.now() - start, 1000)
    }
  )
})
