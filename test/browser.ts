/**
 * Chromium without a window, driven by Playwright. Chromium is Debian's package of that name.
 */
import * as Fs from "node:fs"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { chromium } from "playwright-core"

/** A page in the browser. */
export interface Page {
  /** Loads a URL and waits until it is there. */
  readonly open: (url: string) => Effect.Effect<void>
  /** Runs a function in the page, with an argument that JSON can carry, and waits for its promise. It sees nothing around it. */
  readonly run: <A, B = void>(f: (argument: A) => B | Promise<B>, argument?: A) => Effect.Effect<B>
  /** Runs a function in the page, and in the next ones, until what it gives is true; then gives that. */
  readonly until: <B>(f: () => B) => Effect.Effect<B>
  /** A picture, as PNG. */
  readonly screenshot: Effect.Effect<Buffer>
  /** Sets how large the window is. */
  readonly resize: (width: number, height: number) => Effect.Effect<void>
  /** The exceptions that nothing in a page has caught. */
  readonly errors: ReadonlyArray<string>
}

/** Starts the browser with one page; it ends when the scope closes. */
export const start = Effect.fnUntraced(function* (
  program = "/usr/bin/chromium"
): Effect.fn.Return<Page, never, Scope.Scope> {
  const launch = async () => {
    if (!Fs.existsSync(program)) throw new Error(`${program} is missing: install Debian's package "chromium"`)
    return chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-dev-shm-usage"] })
  }
  const browser = yield* Effect.acquireRelease(Effect.promise(launch), (browser) =>
    Effect.promise(() => browser.close())
  )
  const page = yield* Effect.promise(() => browser.newPage())
  const errors: Array<string> = []
  page.on("pageerror", (error) => errors.push(String(error)))
  return {
    errors,
    open: (url) => Effect.asVoid(Effect.promise(() => page.goto(url, { waitUntil: "load" }))),
    run: (f, argument) => Effect.promise(() => page.evaluate(f as never, argument as never)),
    until: (f) => Effect.promise(async () => (await page.waitForFunction(f)).jsonValue() as never),
    screenshot: Effect.promise(() => page.screenshot()),
    resize: (width, height) => Effect.promise(() => page.setViewportSize({ width, height }))
  }
})
