// What pages of other sites make a browser send is refused, by headers that every browser of today sets; tokens are for those of old.
//   curl -i localhost:8080/                                                                    # 200 and name="csrf_token" and set-cookie: csrf=
//   curl -H 'Sec-Fetch-Site: same-origin' -d 'to=Ada&amount=5' localhost:8080/transfer         # 5 sent to Ada
//   curl -i -H 'Sec-Fetch-Site: cross-site' -d 'to=Eve&amount=5' localhost:8080/transfer       # 403 and page of another site
//   curl -i -H 'Origin: https://evil.example' -d 'to=Eve&amount=5' localhost:8080/transfer     # 403 and page of another site
//   curl -i -d 'to=Eve&amount=5' localhost:8080/transfer                                       # 403 and load the page again
//   curl -H 'Sec-Fetch-Site: cross-site' --json '{}' localhost:8080/hooks/bank                 # heard
import { Effect, Schema } from "effect"
import { App, Body, Csrf, html, Response, Route, Sealed, Server } from "effect-web"

// A real secret is not in the code: `yield* Sealed.keysConfig("APP_KEYS")`, made with `openssl rand -base64 32`.
const keys = Sealed.keys("an example has no secrets, but they are long")

// A browser gets its cookie with the first form; the field is another text each time.
const form = Effect.map(Csrf.field, (field) =>
  Response.html(html`<!doctype html>
<html lang="en">
  <title>Transfer</title>
  <form method="post" action="/transfer">
    ${field}
    <label>To <input name="to"></label>
    <label>Amount <input name="amount" inputmode="numeric"></label>
    <button>Send</button>
  </form>
</html>`)
)

const transfer = Effect.gen(function* () {
  const { amount, to } = yield* Body.form(Schema.Struct({ to: Schema.NonEmptyString, amount: Schema.Finite }))
  return Response.text(`${amount} sent to ${to}`)
})

export const app = App.make({
  form: Route.get("/", form),
  transfer: Route.post("/transfer", transfer),
  hook: Route.post("/hooks/bank", Response.text("heard")) // signed by its sender: it needs no browser's word
}).pipe(App.use(Csrf.make({ exempt: ["/hooks/bank"], tokens: { keys } })))

if (import.meta.main) Server.run(app)
