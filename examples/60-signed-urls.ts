// Signed URLs: a link that opens a report without a login, until it expires, and that nobody else can make.
//   curl -i localhost:8080/share # 303 and location: /reports/42?expires= and &signature=
//   curl -i localhost:8080/reports/42 # 403 and The URL has no valid signature
//   curl -i 'localhost:8080/reports/42?signature=4wDPiE.vtLpIva52qmvgiYyskjc_FX-iFjdcXQqo6frbleS0Po' # 200 and Report 42
//   curl -i 'localhost:8080/reports/43?signature=4wDPiE.vtLpIva52qmvgiYyskjc_FX-iFjdcXQqo6frbleS0Po' # 403 and The URL has no valid signature
//   curl -i 'localhost:8080/reports/42?expires=0&signature=4wDPiE.UBVlC9HjFncaubMs7puq02z8xIT0OqE8QlPjKu9fFy8' # 410 and The URL has expired
import { Effect } from "effect"
import { App, type Handler, Response, Route, Sealed, Server, SignedUrl } from "effect-web"

// A real secret is not in the code: `yield* Sealed.keysConfig("APP_KEYS")`, made with `openssl rand -base64 32`.
const keys = Sealed.keys("an example, and therefore no secret")
const links = SignedUrl.make({ keys })

// Here the browser is sent to the link; elsewhere it would be in a mail. With `Duration.infinity` it does not expire.
const share: Handler.Handler = Effect.gen(function* () {
  const url = yield* links.sign(urls.report({ id: 42 }), { expiresIn: "1 day" })
  return Response.redirect(url, { status: 303 })
})

const report = Route.get("/reports/{id:\\d+}", ({ params }) => Response.text(`Report ${params.id}`))

export const app = App.make({
  share: Route.get("/share", share),
  report: report.pipe(Route.use(links.verify))
})

const urls = App.urls(app)

if (import.meta.main) Server.run(app)
