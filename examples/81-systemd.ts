// Under systemd: with a socket unit the sockets are its own, and who connects during a restart waits. `deploy/` has the units.
//   curl localhost:8080/  # hello from process
// Trying it without a unit: systemd-socket-activate -l 8080 node 81-systemd.ts
import { App, Response, Route, Server, Site } from "effect-web"

export const app = App.make({ home: Route.get("/", () => Response.text(`hello from process ${process.pid}`)) })

// All sockets that are handed over; without any, a port of its own.
const site = process.env.LISTEN_FDS === undefined ? Site.tcp() : Site.systemd()

if (import.meta.main) Server.run(app, { sites: [site] })
