// A unix socket beside a port: for a proxy on the same machine, which alone may connect. The file is gone when the server stops.
//   curl localhost:8080/           # Hello nobody
//   curl localhost:8080/?name=Ada  # Hello Ada
// The same over the socket: curl --unix-socket /tmp/effect-web.sock http://localhost/
import { Effect } from "effect"
import { App, Request, Response, Route, Server, Site, TrustedProxies } from "effect-web"

const hello = Effect.gen(function* () {
  const query = yield* Request.query
  return Response.text(`Hello ${query.get("name") ?? "nobody"}`)
})

// Who may write into the folder of the socket is trusted: its X-Forwarded-For is the client's address.
export const app = App.make({ home: Route.get("/", hello) }).pipe(App.use(TrustedProxies.make({ trusted: ["unix"] })))

if (import.meta.main) {
  Server.run(app, {
    sites: [
      // 0o660: the user and the group of this process; systemd makes such folders: RuntimeDirectory=
      Site.unix({ path: process.env.SOCKET ?? "/tmp/effect-web.sock", mode: 0o660 }),
      Site.tcp({ host: "127.0.0.1", port: Number(process.env.PORT ?? 8080) })
    ]
  })
}
