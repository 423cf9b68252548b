/**
 * A program on the sites of a text: `sites.ts <name of a site> [argument]`.
 */
import * as App from "../../../src/App.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import * as Server from "../../../src/server/Server.ts"
import * as Site from "../../../src/server/Site.ts"

const [kind = "", argument = ""] = process.argv.slice(2)

const kinds: Readonly<Record<string, () => Site.Site>> = {
  fd: () => Site.fd(Number(argument)),
  systemd: () => Site.systemd(argument === "" ? {} : { name: argument }),
  unix: () => Site.unix({ path: argument }),
  tls: () => Site.tls({ host: "127.0.0.1", port: 0, ...JSON.parse(argument) })
}

const app = App.make({ home: Route.get("/", Response.text("home")) })

Server.run(app, { sites: [kinds[kind]!()] })
