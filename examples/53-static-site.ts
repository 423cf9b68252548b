// A site of files: index pages, names with a hash that are kept for a year, and a folder that is listed.
//   curl -i localhost:8080/                                # 200 and cache-control: no-cache and <h1>A site</h1>
//   curl -i localhost:8080/guide                           # 301 and location: /guide/
//   curl localhost:8080/guide/                             # <h1>The guide</h1>
//   curl -I localhost:8080/assets/site-BxY12abc.css        # content-type: text/css; charset=utf-8 and immutable
//   curl -i -H 'If-None-Match: *' localhost:8080/guide/    # 304
//   curl -i localhost:8080/assets/                         # 403
//   curl localhost:8080/docs/                              # <a href="./routing.md">routing.md</a>
//   curl -i localhost:8080/..%2fpackage.json               # 404
//   curl -i -X POST localhost:8080/                        # 405 and allow: GET, HEAD, OPTIONS
import { App, Route, Server, StaticFiles } from "effect-web"

const docs = StaticFiles.make({ root: new URL("../docs", import.meta.url), listing: true })

const site = StaticFiles.make({
  root: new URL("site", import.meta.url),
  fingerprints: true,
  // site.css.br, .zst and .gz stand in for site.css, where they are.
  precompressed: true,
  cacheControl: { "**/*.html": "no-cache", "**": "max-age=3600" }
})

export const app = App.make({
  docs: Route.mountHandler("/docs", docs),
  // Behind all others: it takes what they leave.
  site: Route.get("/{path:.*}", site)
})

if (import.meta.main) Server.run(app)
