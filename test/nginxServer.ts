/**
 * An nginx with a configuration of `examples/deploy`, on a free port of 127.0.0.1. It is Debian's package "nginx-light".
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Sources from "./sources.ts"

/** Starts it before an app on a unix socket; gives its origin. It ends with the scope. */
export const make = Effect.fnUntraced(function* (app: string): Effect.fn.Return<string, never, Scope.Scope> {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "nginx-"))),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))
  )
  const port = yield* freePort
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ")
  const text = Fs.readFileSync(`${Sources.root}examples/deploy/nginx.conf`, "utf8")
    .replace("unix:/run/app/http.sock", `unix:${app}`)
    .replace("listen 80;", `listen 127.0.0.1:${port};`)
    .replace("http {", `http { access_log off; ${temporary}`)
  const path = Path.join(folder, "nginx.conf")
  Fs.writeFileSync(path, text)
  const user = process.getuid?.() === 0 ? "user root; " : ""
  const globals = `${user}daemon off; pid ${folder}/pid; error_log stderr error;`
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn("nginx", ["-p", folder, "-c", path, "-g", globals], { stdio: ["ignore", "ignore", "inherit"] })
    ),
    (child) =>
      Effect.callback<void>((resume) => {
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGTERM")
      })
  )
  yield* Effect.eventually(connects(port))
  return `http://127.0.0.1:${port}`
})

const freePort = Effect.callback<number>((resume) => {
  const server = Net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as Net.AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

const connects = (port: number): Effect.Effect<void, Error> =>
  Effect.callback((resume) => {
    const socket = Net.connect(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.void)
    })
    socket.once("error", (error) => void setTimeout(() => resume(Effect.fail(error)), 20))
  })
