// An idempotent payment: a client that got no answer sends it again, with the same key, and pays once.
//   curl -i -H 'X-Account: ada' -H 'Idempotency-Key: "a1"' --json '{"amount":10}' localhost:8080/payments    # 201 and {"id":1,"amount":10}
//   curl -i -H 'X-Account: ada' -H 'Idempotency-Key: "a1"' --json '{"amount":10}' localhost:8080/payments    # 201 and {"id":1,"amount":10} and idempotent-replayed: true
//   curl -i -H 'X-Account: ada' -H 'Idempotency-Key: "a1"' --json '{"amount":99}' localhost:8080/payments    # 422
//   curl -i -H 'X-Account: ada' -H 'Idempotency-Key: "a2"' --json '{"amount":5000}' localhost:8080/payments  # 402 and "limit":1000
//   curl -i -H 'X-Account: bob' -H 'Idempotency-Key: "a1"' --json '{"amount":10}' localhost:8080/payments    # 201 and {"id":2,"amount":10}
//   curl -i -H 'X-Account: ada' --json '{"amount":10}' localhost:8080/payments                                # 400
import { Context, Effect, Layer, Ref, Schema } from "effect"
import { App, Body, HttpError, Idempotency, RecordStore, Request, Response, Route, Server, Sqlite } from "effect-web"

class Declined extends HttpError.define<Declined>()("Declined", { status: 402 }, { limit: Schema.Number }) {}
const Payment = Schema.Struct({ amount: Schema.Int })
const Receipt = Schema.Struct({ id: Schema.Int, amount: Schema.Int })

/** The bank, of which each server here has its own. */
class Bank extends Context.Service<Bank, { readonly next: Effect.Effect<number> }>()("Bank") {}
const bank = Layer.effect(
  Bank,
  Effect.map(Ref.make(0), (last) => ({ next: Ref.updateAndGet(last, (id) => id + 1) }))
)

const account = Effect.flatMap(Request.header("x-account"), (name) =>
  name === undefined ? Effect.fail(new HttpError.Unauthorized()) : Effect.succeed(name)
)

const pay = Route.post(
  "/payments",
  { body: Body.json(Payment), success: Response.schema(Receipt, { status: 201 }), errors: [Declined] },
  Effect.fnUntraced(function* ({ body: { amount } }) {
    if (amount > 1000) return yield* new Declined({ limit: 1000 })
    const id = yield* Bank.use(({ next }) => next)
    return { id, amount }
  })
).pipe(
  // In one file for all processes of this machine; RecordStore.redis() or a PostgreSQL for several.
  Route.use(Idempotency.make({ scope: account, store: RecordStore.sql(), required: true, errors: [Declined] }))
)

export const app = App.make({ pay })
export const layer = Layer.mergeAll(bank, Sqlite.layer({ filename: ":memory:" }))

if (import.meta.main) Server.layer(app).pipe(Layer.provide(layer), Server.launch())
