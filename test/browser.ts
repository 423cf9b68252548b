/**
 * Chromium without a window, driven by its DevTools protocol over Node's own WebSocket.
 *
 * Chromium is Debian's package of that name.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** A page in the browser. */
export interface Page {
  /** Loads a URL and waits until it is there. */
  readonly open: (url: string) => Effect.Effect<void>
  /** Runs a function in the page, with an argument that JSON can carry, and waits for its promise. It sees nothing around it. */
  readonly run: <A, B = void>(f: (argument: A) => B | Promise<B>, argument?: A) => Effect.Effect<B>
  /** A picture, as PNG. */
  readonly screenshot: Effect.Effect<Buffer>
  /** Sets how large the window is. */
  readonly resize: (width: number, height: number) => Effect.Effect<void>
  /** The exceptions that nothing in a page has caught. */
  readonly errors: ReadonlyArray<string>
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly [name: string]: unknown }
  readonly result?: { readonly [name: string]: unknown }
  readonly error?: { readonly message: string }
}

const flags = [
  ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"],
  "--remote-debugging-port=0"
]

const launch = Effect.fnUntraced(function* (program: string) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "chromium-"))),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  )
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn(program, [...flags, `--user-data-dir=${folder}`, "about:blank"], {
        stdio: ["ignore", "ignore", "pipe"]
      })
    ),
    (child) =>
      Effect.promise(async () => {
        if (child.pid === undefined || child.exitCode !== null) return
        const closed = new Promise((resolve) => child.once("close", resolve))
        child.kill()
        await closed
      })
  )
  return yield* Effect.callback<string>((resume) => {
    let output = ""
    child.once("error", () =>
      resume(Effect.die(new Error(`${program} does not start: install Debian's package "chromium"`)))
    )
    child.once("exit", (code) => resume(Effect.die(new Error(`${program} ended with ${code}: ${output}`))))
    child.stderr.on("data", (bytes) => {
      output += bytes
      const url = /listening on (ws:\S+)/.exec(output)?.[1]
      if (url !== undefined) resume(Effect.succeed(url))
    })
  })
})

const connect = (url: string): Effect.Effect<WebSocket, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<WebSocket>((resume) => {
      const socket = new WebSocket(url)
      socket.addEventListener("open", () => resume(Effect.succeed(socket)))
      socket.addEventListener("error", () => resume(Effect.die(new Error(`No connection to ${url}`))))
    }),
    (socket) => Effect.sync(() => socket.close())
  )

/** Starts the browser with one page; it ends when the scope closes. */
export const start = Effect.fnUntraced(function* (program = "chromium"): Effect.fn.Return<Page, never, Scope.Scope> {
  const socket = yield* connect(yield* launch(program))
  const waiting = new Map<number | string, (message: Message) => void>()
  const errors: Array<string> = []
  let last = 0
  socket.addEventListener("message", ({ data }) => {
    const message: Message = JSON.parse(String(data))
    if (message.method === "Runtime.exceptionThrown") errors.push(JSON.stringify(message.params))
    waiting.get(message.id ?? message.method ?? "")?.(message)
  })
  const received = (key: number | string) =>
    new Promise<Message>((resolve) => {
      waiting.set(key, (message) => {
        waiting.delete(key)
        resolve(message)
      })
    })
  const call = (method: string, params: object, sessionId?: unknown) =>
    Effect.promise(async () => {
      const id = ++last
      const answered = received(id)
      socket.send(JSON.stringify({ id, method, params, sessionId }))
      const { error, result } = await answered
      if (error !== undefined) throw new Error(`${method}: ${error.message}`)
      return result!
    })
  const { targetId } = yield* call("Target.createTarget", { url: "about:blank" })
  const { sessionId } = yield* call("Target.attachToTarget", { targetId, flatten: true })
  const tell = (method: string, params: object = {}) => call(method, params, sessionId)
  for (const domain of ["Page", "Runtime"]) yield* tell(`${domain}.enable`)
  return {
    errors,
    open: Effect.fnUntraced(function* (url: string) {
      const loaded = received("Page.loadEventFired")
      yield* tell("Page.navigate", { url })
      yield* Effect.promise(() => loaded)
    }),
    run: Effect.fnUntraced(function* <A, B>(f: (argument: A) => B | Promise<B>, argument?: A) {
      const expression = `(${f})(${JSON.stringify(argument)})`
      const options = { awaitPromise: true, returnByValue: true, userGesture: true }
      const { exceptionDetails, result } = yield* tell("Runtime.evaluate", { expression, ...options })
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
      return (result as { readonly value: B }).value
    }),
    screenshot: Effect.map(tell("Page.captureScreenshot", { format: "png" }), ({ data }) =>
      Buffer.from(String(data), "base64")
    ),
    resize: (width, height) =>
      Effect.asVoid(
        tell("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 })
      )
  }
})
