/**
 * The showcase in a real browser: everything on its page is pressed, and is answered as it says.
 */
import { assert, it, layer } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Browser from "./browser.ts"
import * as Program from "./program.ts"

class Showcase extends Context.Service<
  Showcase,
  { readonly url: string; readonly program: Program.Program; readonly page: Browser.Page }
>()("Showcase") {
  static readonly layer = Layer.effect(
    Showcase,
    Effect.gen(function* () {
      const program = yield* Program.start("examples/showcase.ts")
      const port = yield* program.printed(/Running on http:\/\/0\.0\.0\.0:(\d+)/)
      return { program, url: `http://localhost:${port}`, page: yield* Browser.start() }
    })
  )
}

/** The labels of everything that can be pressed. */
const labels = () => [...document.querySelectorAll("[data-request]")].map(({ textContent }) => textContent)

/** Presses what has the number, or submits the form of an action, and gives what is shown when the answer is there. */
const press = (which: number | string): Promise<string> => {
  const output = document.querySelector("output")!
  const answered = new Promise<string>((resolve) => {
    const observer = new MutationObserver(() => {
      if (output.dataset.state !== "done") return
      observer.disconnect()
      resolve(output.textContent)
    })
    observer.observe(output, { attributes: true, attributeFilter: ["data-state"] })
  })
  if (typeof which === "number") document.querySelectorAll<HTMLElement>("[data-request]")[which]!.click()
  else document.querySelector<HTMLFormElement>(`form[action="${which}"]`)!.requestSubmit()
  return answered
}

/** What is shown where the page leads to. */
const shown = () => ({ path: location.pathname + location.search, text: document.body.innerText })

/** What the page shows that another has led to; undefined as long as it is not there. */
const left = () =>
  document.readyState === "complete" && document.body.dataset.old === undefined
    ? { path: location.pathname, text: document.body.innerText }
    : undefined

/** Waits for the page that another leads to. Between the two there is none to ask. */
const arrived = Effect.fnUntraced(function* (page: Browser.Page) {
  const look = Effect.catchDefect(page.run(left), () => Effect.undefined)
  const found = yield* Effect.repeat(Effect.delay(look, "20 millis"), { until: (found) => found !== undefined })
  return found as { readonly path: string; readonly text: string }
})

const wanted: ReadonlyArray<readonly [label: string, ...answer: ReadonlyArray<string>]> = [
  ["GET /hello", "\n200 OK\n", "\n\nHello, Anonymous"],
  ["GET /hello/Ada", "\n\nHello, Ada"],
  ["GET /hello/Zoë", "\n\nHello, Zoë"],
  ["GET /json", "content-type: application/json\n", '{"some":"data","list":[1,2,3]}'],
  ["POST /json (201, Location)", "\n201 Created\n", "location: /json/1\n"],
  ["GET /items/42", "The item 42"],
  ["GET /items/new", "a fixed path beats a pattern"],
  ["GET /items/x", "\n404 Not Found\n"],
  ["GET /pages/2026/hello.html", '{"year":"2026","name":"hello","ext":"html"}'],
  ["GET /files/a/b/c.txt", "The rest of the path: a/b/c.txt"],
  ["GET /view", "The view's GET"],
  ["POST /view", "The view's POST"],
  ["HEAD /view", "\n200 OK\n", "content-length: 14\n"],
  ["OPTIONS /view", "\n204 No Content\n", "allow: GET, HEAD, OPTIONS, POST\n"],
  ["DELETE /view", "\n405 Method Not Allowed\n", "allow: GET, HEAD, OPTIONS, POST\n"],
  ["GET /urls", '["/items/42","/files/a/b%20c.txt","/pages/2026/caf%C3%A9.html?page=2#top"]'],
  ["GET /admin/users/7", "\n401 Unauthorized\n", "www-authenticate: Bearer\n"],
  ["GET ... with the token", "The user 7, seen by an administrator"],
  ["GET /admin/nope with the token", "\n404 Not Found\n"],
  ["GET /legacy/users/7", "The user 7, from Effect's own HttpRouter"],
  ["GET /legacy/nope", "\n404 Not Found\n"],
  ["GET ?q=effect&page=2", '{"q":"effect","page":2,"tags":[]}'],
  ["GET ?q=a&tags=x&tags=y", '{"q":"a","page":1,"tags":["x","y"]}'],
  ["GET ?page=two", "\n400 Bad Request\n", '"in":"query","path":["q"]', '"path":["page"]'],
  ["GET /about this request", '"method":"GET"', '"client":"', "HeadlessChrome"],
  ["POST 16 bytes", "16 characters"],
  ["POST 17 bytes", "\n413 Content Too Large\n", '"limit":16'],
  ["POST taken: 409", "\n409 Conflict\n", '"email":"taken@example.com"', '"_tag":"EmailTaken"'],
  ["POST not the schema: 422", "\n422 Unprocessable Content\n", '"path":["name"]', '"path":["email"]'],
  ["POST not JSON: 400", "\n400 Bad Request\n", "The JSON ends too early"],
  ["POST wrong type: 415", "\n415 Unsupported Media Type\n", "accept: application/json\n"],
  ["POST too large: 413", "\n413 Content Too Large\n", '"limit":1000'],
  ["GET /visits", "You were here 1 times"],
  ["POST /visits/forget", "Forgotten"],
  ["GET /ticks", "tick 1 of 8\n", "tick 8 of 8\n"],
  ["GET /ticks, and leave", "tick 1 of 8\n", "This client has left."],
  ["GET /squares (look)", 'content-disposition: attachment; filename="squares.csv"', "n,square\n1,1\n2,4\n"],
  ["GET /version", "\n200 OK\n", 'etag: "v1"\n', "This text has a version."],
  ["GET ... If-None-Match", "\n304 Not Modified\n", 'etag: "v1"\n'],
  ["GET ... If-Match: another", "\n412 Precondition Failed\n"],
  ["GET /poem", "content-encoding: br\n", "17600 characters in all"],
  ["GET yours", "content-language: en\n", "Good morning"],
  ["GET de, en;q=0.5", "Guten Morgen", "vary: Accept-Language, Accept-Encoding\n"],
  ["GET fr-CH", "Bonjour"],
  ["POST not multipart: 415", "\n415 Unsupported Media Type\n", "accept: multipart/form-data\n"],
  ["GET /assets/script.js", "\n200 OK\n", "content-type: text/javascript; charset=utf-8\n", "// Sends what a button"],
  ["GET the first 10 bytes: 206", "\n206 Partial Content\n", "content-range: bytes 0-9/", "\n\n// Sends w"],
  ["GET two ranges: multipart", "content-type: multipart/byteranges; boundary=", "content-range: bytes 0-9/"],
  ["GET no such range: 416", "\n416 Range Not Satisfiable\n", "content-range: bytes */"],
  ["GET /assets/none.js", "\n404 Not Found\n"],
  ["GET /assets/%2e%2e/showcase.ts", "\n404 Not Found\n"],
  ["GET /rows", "content-type: application/x-ndjson\n", '{"id":1,"at":"1970-01-02T00:00:00.000Z"}\n{"id":2'],
  ["GET /countdown", "content-type: text/event-stream\n", 'event: Tick\ndata: {"_tag":"Tick","left":3}\n', "it flies"],
  ["GET listen from now on", "\n200 OK\n", "retry: 1000\n", "This client has left."],
  ["GET come again", "last-event-id: 0\n", "event: reset\n", "This client has left."],
  ["GET no WebSocket: 426", "\n426 Upgrade Required\n", "upgrade: websocket\n"],
  ["GET /upstream: 502", "\n502 Bad Gateway\n", "The upstream server cannot be reached"],
  ["GET /members/visit", "Visit 1 of this session", "cache-control: no-store\n"],
  ["GET /members/me", "\n401 Unauthorized\n", 'www-authenticate: Session realm="Restricted"\n'],
  ["GET problem+json", "content-type: application/problem+json\n", '"title":"Not Found"'],
  ["GET HTML", "content-type: text/html; charset=utf-8\n", "<h1>404 Not Found</h1>"],
  ["GET text", "content-type: text/plain; charset=utf-8\n", "\n\n404: Not Found"],
  ["POST /orders", "\n409 Conflict\n", '"item":"teapot","left":0', "Somebody was faster"],
  ["GET /broken", "\n500 Internal Server Error\n", "Something failed"],
  ["GET /bug", "\n500 Internal Server Error\n", '"status":500'],
  ["GET /busy (Retry-After)", "\n503 Service Unavailable\n", "retry-after: 5\n"],
  ["GET /slow", "That took two seconds"],
  ["GET /slow, and leave", "This client has left."],
  ["GET /slow/journal", '["begun","finished","begun","interrupted: the client has left"]'],
  ["GET /json", "server-timing: handler;dur=", "x-content-type-options: nosniff\n"],
  ["GET /no-such-path", "\n404 Not Found\n", "x-content-type-options: nosniff\n"],
  ["GET 9,000 characters: 414", "\n414 URI Too Long\n"],
  ["GET malformed encoding: 400", "\n400 Bad Request\n"],
  ["GET /routes", "GET     /items/{id:\\d+}  (item)", "GET     {tenant}.localhost/  (tenant.home)"]
]

layer(Showcase.layer, { excludeTestServices: true })("the showcase", (it) => {
  it.effect(
    "answers everything that can be pressed as it says",
    () =>
      Effect.gen(function* () {
        const { page, url } = yield* Showcase
        yield* page.open(url)
        assert.deepStrictEqual(
          yield* page.run(labels),
          wanted.map(([label]) => label)
        )
        for (const [at, [label, ...answer]] of wanted.entries()) {
          const found = yield* page.run(press, at)
          for (const each of answer) assert.include(found, each, label)
        }
        assert.deepStrictEqual(page.errors, [])
      }),
    60_000
  )

  it.effect("counts visits by a cookie that the page cannot see", () =>
    Effect.gen(function* () {
      const { page, url } = yield* Showcase
      const at = wanted.findIndex(([label]) => label === "GET /visits")
      yield* page.open(url)
      assert.include(yield* page.run(press, at), "You were here 1 times")
      assert.include(yield* page.run(press, at), "You were here 2 times")
      assert.strictEqual(yield* page.run(() => document.cookie), "")
    })
  )

  const forms: ReadonlyArray<readonly [action: string, answer: ReadonlyArray<string>]> = [
    ["/greet", ["200 OK", "<h1>Hello, &lt;img src=x onerror=&quot;alert(&#39;no&#39;)&quot;&gt;</h1>"]],
    ["/login", ["200 OK", '{"login":"ada","age":36,"password":"<redacted>"}']],
    ["/users", ["201 Created", '{"id":1,"name":"Ada","email":"ada@example.com"}']],
    ["/news", ["201 Created", '{"id":"']]
  ]
  for (const [action, answer] of forms) {
    it.effect(`answers the form of ${action}`, () =>
      Effect.gen(function* () {
        const { page, url } = yield* Showcase
        yield* page.open(url)
        const found = yield* page.run(press, action)
        for (const each of answer) assert.include(found, each)
      })
    )
  }

  it.effect("takes a form with a file, and shows live what is published", () =>
    Effect.gen(function* () {
      const { page, url } = yield* Showcase
      yield* page.open(url)
      yield* page.run(() => {
        const files = new DataTransfer()
        files.items.add(new File(["a picture"], "sea.png", { type: "image/png" }))
        document.querySelector<HTMLInputElement>("input[type=file]")!.files = files.files
      })
      assert.include(
        yield* page.run(press, "/photos"),
        '{"title":"The sea","filename":"sea.png","type":"image/png","bytes":9}'
      )
      const at = wanted.findIndex(([label]) => label === "GET listen from now on")
      const listening = yield* Effect.forkChild(page.run(press, at), { startImmediately: true })
      yield* page.run(async () => {
        const shown = () => document.querySelector("output")!.textContent.includes("retry: 1000")
        while (!shown()) await new Promise((resolve) => requestAnimationFrame(resolve))
        await fetch("/news", { method: "POST", body: new URLSearchParams({ text: "It is live" }) })
      })
      assert.include(yield* Fiber.join(listening), 'data: "It is live"')
    })
  )

  const pages: ReadonlyArray<readonly [path: string, path: string, text: string]> = [
    ["/greet?name=%3Cimg%20src%3Dx%3E", "/greet?name=%3Cimg%20src%3Dx%3E", "Hello, <img src=x>"],
    ["/moved", "/destination?from=moved", "You come from: moved"],
    ["/account", "/destination?from=account", "You come from: account"],
    ["/chat/", "/chat/", "lobby"],
    ["/no-such-path", "/no-such-path", "404 Not Found"],
    ["/development/bug", "/development/bug", "getOrThrow called on a None"],
    ["/source/10-hello-world.ts", "/source/10-hello-world.ts", "const hello = Effect.gen"]
  ]
  for (const [path, end, text] of pages) {
    it.effect(`shows ${path} as a page`, () =>
      Effect.gen(function* () {
        const { page, url } = yield* Showcase
        yield* page.open(url + path)
        const found = yield* page.run(shown)
        assert.strictEqual(found.path, end)
        assert.include(found.text, text)
      })
    )
  }

  it.effect("lets people in and out by a login page, with a session that the page cannot see", () =>
    Effect.gen(function* () {
      const { page, url } = yield* Showcase
      /** Fills the form in and sends it; gives what the page says that it leads to. */
      const send = Effect.fnUntraced(function* (fields: Readonly<Record<string, string>>) {
        yield* page.run((fields) => {
          for (const [name, value] of Object.entries(fields)) {
            document.querySelector<HTMLInputElement>(`input[name=${name}]`)!.value = value
          }
          document.body.dataset.old = "true"
          document.querySelector("form")!.requestSubmit()
        }, fields)
        return yield* arrived(page)
      })
      const at = wanted.findIndex(([label]) => label === "GET /members/visit")
      yield* page.open(url)
      yield* page.run(press, at)
      const link = yield* page.run(() => document.querySelector<HTMLAnchorElement>('a[href="/members"]')!.href)
      yield* page.open(link)
      assert.strictEqual((yield* page.run(shown)).path, "/members/login")
      const refused = yield* send({ name: "ada", password: "guess" })
      assert.strictEqual(refused.path, "/members/login")
      assert.include(refused.text, "That is not it.")
      const entered = yield* send({ name: "ada", password: "secret" })
      assert.strictEqual(entered.path, "/members")
      assert.include(entered.text, "Hello, Ada")
      assert.match(entered.text, /You have counted \d+ visits in this session/)
      assert.strictEqual(yield* page.run(() => document.cookie), "")
      const out = yield* send({})
      assert.strictEqual(out.path, "/members/login")
      assert.include(out.text, "You have logged out.")
      yield* page.open(link)
      assert.strictEqual((yield* page.run(shown)).path, "/members/login")
      assert.deepStrictEqual(page.errors, [])
    })
  )

  it.effect("tells hosts apart", () =>
    Effect.gen(function* () {
      const { page, url } = yield* Showcase
      yield* page.open(url)
      const href = yield* page.run(() => document.querySelector<HTMLAnchorElement>('a[href*="ada.localhost"]')!.href)
      yield* page.open(href)
      assert.strictEqual((yield* page.run(shown)).text, "The page of ada, told apart by the host")
    })
  )

  it.effect("leads to the code of each card", () =>
    Effect.gen(function* () {
      const { page, url } = yield* Showcase
      yield* page.open(url)
      const statuses = yield* page.run(() => {
        const links = [...document.querySelectorAll<HTMLAnchorElement>(".card .source")]
        return Promise.all(links.map(async ({ href }) => (await fetch(href)).status))
      })
      assert.isNotEmpty(statuses)
      assert.deepStrictEqual([...new Set(statuses)], [200])
    })
  )

  it.effect("has a page that is whole by itself, and that everybody can use", () =>
    Effect.gen(function* () {
      const { page, url } = yield* Showcase
      yield* page.open(url)
      const found = yield* page.run(() => {
        const all = (selector: string) => [...document.querySelectorAll<HTMLElement>(selector)]
        const named = (element: HTMLElement) => (element.getAttribute("aria-label") ?? element.innerText).trim() !== ""
        const ids = all("[id]").map(({ id }) => id)
        return {
          language: document.documentElement.lang,
          headings: all("h1").length,
          landmarks: ["header", "nav", "main", "footer"].filter((name) => document.querySelector(name) === null),
          unlabelled: all("input").filter((input) => (input as HTMLInputElement).labels?.length !== 1).length,
          unnamed: all("a, button, article").filter((element) => !named(element)).length,
          dangling: all("[aria-labelledby]").filter(({ ariaLabelledByElements: by }) => by?.length !== 1).length,
          broken: all("nav a, .skip").filter((link) => !ids.includes(link.getAttribute("href")!.slice(1))).length,
          twice: ids.length - new Set(ids).size,
          resources: performance.getEntriesByType("resource").length,
          wide: document.documentElement.scrollWidth > document.documentElement.clientWidth
        }
      })
      assert.deepStrictEqual(found, {
        language: "en",
        headings: 1,
        landmarks: [],
        unlabelled: 0,
        unnamed: 0,
        dangling: 0,
        broken: 0,
        twice: 0,
        resources: 0,
        wide: false
      })
    })
  )

  it.effect("fits a telephone", () =>
    Effect.gen(function* () {
      const { page, url } = yield* Showcase
      yield* page.resize(360, 740)
      yield* page.open(url)
      const width = yield* page.run(() => document.documentElement.scrollWidth)
      yield* page.resize(1280, 800)
      assert.strictEqual(width, 360)
    })
  )

  it.effect("says that the port is taken, and exits with 1", () =>
    Effect.gen(function* () {
      const { url } = yield* Showcase
      const { port } = new URL(url)
      const second = yield* Program.start("examples/showcase.ts", { PORT: port })
      yield* second.printed(new RegExp(`Cannot listen on .*${port}`))
      assert.strictEqual(yield* second.code, 1)
    })
  )
})

it.live("names Debian's package where the browser is missing", () =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(Effect.scoped(Browser.start("no-such-browser")))
    assert.isTrue(Exit.isFailure(exit) && Cause.pretty(exit.cause).includes(`install Debian's package "chromium"`))
  })
)
