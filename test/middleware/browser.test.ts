/**
 * What a real browser makes of CORS, of the policies, and of cross-site forms.
 */
import * as ChildProcess from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as App from "../../src/App.ts"
import * as ErrorResponse from "../../src/ErrorResponse.ts"
import { html } from "../../src/Html.ts"
import * as StaticFiles from "../../src/handlers/StaticFiles.ts"
import * as Cors from "../../src/middleware/Cors.ts"
import * as Csrf from "../../src/middleware/Csrf.ts"
import * as SecurityHeaders from "../../src/middleware/SecurityHeaders.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Sealed from "../../src/Sealed.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as Browser from "../browser.ts"
import * as Folder from "../folder.ts"

const isInstalled = ChildProcess.spawnSync("chromium", ["--version"]).status === 0

const page = App.make({ home: Route.get("/", Response.html(html`<!doctype html><title>Page</title>`)) })

/** What a page gets of a request, or "blocked". */
const fetched = ({ url, init }: { readonly url: string; readonly init?: RequestInit }) =>
  fetch(url, init).then(
    async (response) =>
      `${response.status} ${response.headers.get("x-total") ?? "-"} ${(await response.text()).slice(0, 20)}`,
    () => "blocked"
  )

const api = (origin: string) =>
  App.make({
    read: Route.get("/read", Response.text("read", { headers: { "x-total": "7" } })),
    item: Route.view("/item", {
      get: Response.text("item"),
      put: Effect.map(Request.cookie("who"), (who = "nobody") => Response.text(`put by ${who}`))
    }),
    login: Route.get("/login", Response.text("hello").pipe(Response.setCookie("who", "ada"))),
    open: Route.get("/open", Response.text("open")).pipe(Route.use(Cors.make({ origins: "*" })))
  }).pipe(App.use(Cors.make({ origins: [origin], credentials: true, expose: ["x-total"] })))

const problem = /^404 - \{/

describe.runIf(isInstalled)("in chromium", () => {
  it.live(
    "a page of an allowed origin reads, sends and sees errors; another does not",
    () =>
      Effect.gen(function* () {
        const ours = yield* Testing.socketClient(page)
        const other = yield* Testing.socketClient(page)
        const { url } = yield* Testing.socketClient(api(ours.url))
        const browser = yield* Browser.start()
        const ask = (path: string, init?: RequestInit) =>
          browser.run(fetched, { url: `${url}${path}`, ...(init === undefined ? undefined : { init }) })
        const put = { method: "PUT", credentials: "include", headers: { "content-type": "application/json" } } as const

        yield* browser.open(`${ours.url}/`)
        assert.strictEqual(yield* ask("/read"), "200 7 read")
        assert.match(yield* ask("/nothing"), problem)
        assert.strictEqual(yield* ask("/login", { credentials: "include" }), "200 - hello")
        assert.strictEqual(yield* ask("/item", put), "200 - put by ada")
        assert.strictEqual(yield* ask("/item", { method: "DELETE" }), "blocked")
        assert.strictEqual(yield* ask("/item", { ...put, headers: { "x-other": "1" } }), "blocked")
        assert.strictEqual(yield* ask("/open"), "200 - open")
        assert.strictEqual(yield* ask("/open", { credentials: "include" }), "blocked")

        yield* browser.open(`${other.url}/`)
        assert.strictEqual(yield* ask("/read"), "blocked")
        assert.strictEqual(yield* ask("/nothing"), "blocked")
        assert.strictEqual(yield* ask("/item", put), "blocked")
        assert.strictEqual(yield* ask("/open"), "200 - open")
      }),
    60_000
  )

  it.live(
    "the usual policy lets the page's own scripts and styles through, with the nonce, and nothing that was slipped in",
    () =>
      Effect.gen(function* () {
        const folder = Folder.make({ "own.js": "document.title += ' own'", "sub/a.txt": "a" })
        const home = Effect.map(SecurityHeaders.nonce, (nonce) =>
          Response.html(html`<!doctype html><title>Page</title>
<style nonce="${nonce}">p { color: rgb(1, 2, 3) }</style><p style="color: red">text</p>
<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" onerror="document.title += ' handler'">
<script nonce="${nonce}">document.title += " nonce"</script>
<script>document.title += " slipped"</script>
<script nonce="abc">document.title += " guessed"</script>
<script src="/files/own.js"></script>`)
        )
        const { url } = yield* Testing.socketClient(
          App.make(
            {
              home: Route.get("/", home),
              broken: Route.get("/broken", Effect.die(new Error("broken"))),
              files: Route.mountHandler("/files", StaticFiles.make({ root: folder.path, listing: true }))
            },
            { errorResponse: ErrorResponse.development() }
          ).pipe(App.use(SecurityHeaders.make()))
        )
        const browser = yield* Browser.start()
        const seen = browser.run(() => [
          document.title,
          getComputedStyle(document.querySelector("p") ?? document.body).color,
          getComputedStyle(document.querySelector("pre") ?? document.body).overflowX,
          document.querySelectorAll("a").length
        ])
        yield* browser.open(`${url}/`)
        assert.deepStrictEqual(yield* seen, ["Page nonce own", "rgb(1, 2, 3)", "visible", 0])
        yield* browser.open(`${url}/broken`)
        assert.deepInclude(yield* seen, "auto")
        yield* browser.open(`${url}/files/`)
        assert.isAbove(Number((yield* seen)[3]), 1)
        assert.deepStrictEqual(browser.errors, [])
        // The failure is logged
      }).pipe(Effect.provide(Logger.layer([]))),
    60_000
  )

  it.live(
    "a form of the page is taken, one of another site is not",
    () =>
      Effect.gen(function* () {
        const keys = Sealed.keys("0123456789abcdef0123456789abcdef")
        const form = Effect.map(Csrf.field, (field) =>
          Response.html(
            html`<!doctype html><title>Form</title><form method="post" action="/order">${field}<button>Buy</button></form>`
          )
        )
        const shop = yield* Testing.socketClient(
          App.make({
            form: Route.get("/", form),
            order: Route.post("/order", Response.html(html`<title>ordered</title>`))
          }).pipe(App.use(Csrf.make({ tokens: { keys, always: true } })), App.use(SecurityHeaders.make()))
        )
        const evil = yield* Testing.socketClient(
          App.make({
            form: Route.get(
              "/",
              Response.html(
                html`<!doctype html><title>Evil</title><form method="post" action="${shop.url}/order"></form>`
              )
            )
          })
        )
        const browser = yield* Browser.start()
        // The page is gone before an answer of its own could come.
        const submit = Effect.andThen(
          browser.run(() => void setTimeout(() => document.querySelector("form")?.submit())),
          browser.until(() => {
            const { body, title } = document
            return title !== "Form" && title !== "Evil" && `${title} ${body?.innerText ?? ""}`
          })
        )
        yield* browser.open(`${shop.url}/`)
        assert.strictEqual(String(yield* submit).trim(), "ordered")
        yield* browser.open(`${evil.url}/`)
        assert.match(String(yield* submit), /403/)
      }),
    60_000
  )
})
