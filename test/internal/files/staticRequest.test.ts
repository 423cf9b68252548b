/**
 * What a request asks StaticFiles for.
 */
import { assert, describe, it } from "@effect/vitest"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { versionOf } from "../../../src/internal/files/staticRequest.ts"

describe("a version is what `url` writes, and nothing else: to check one, a large file is read whole", () => {
  const version = "0123456789abcdefAB-_xy"
  it.each<[query: string, wanted: string | undefined]>([
    [`?v=${version}`, version],
    [`?a=b&v=${version}&c`, version],
    [`?v=${version}#top`, version],
    ["?v=2", undefined],
    ["?v=1-2-3", undefined],
    ["?v=20240101", undefined],
    [`?v=${version}z`, undefined],
    [`?v=${version.slice(1)}`, undefined],
    [`?av=${version}`, undefined],
    ["?v=", undefined],
    ["", undefined]
  ])("%s: %s", (query, wanted) =>
    // Only its URL is looked at.
    assert.strictEqual(versionOf({ url: `/video.mp4${query}` } as HttpServerRequest), wanted)
  )
})
