import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as App from "../src/App.ts"
import * as Body from "../src/Body.ts"
import type { Middleware } from "../src/Middleware.ts"
import * as RecordStore from "../src/RecordStore.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sealed from "../src/Sealed.ts"
import * as Session from "../src/Session.ts"
import * as WebSocket from "../src/WebSocket.ts"

class Visit extends Session.Service<Visit>()("Visit", { fields: { count: Schema.Int }, empty: { count: 0 } }) {}
class Account extends Session.Service<Account>()("Account", {
  fields: { cart: Schema.Array(Schema.String), since: Schema.optionalKey(Schema.Date) },
  empty: { cart: [] },
  identity: Schema.Int,
  flash: { notice: Schema.String, at: Schema.Date }
}) {}

const memory = RecordStore.memory()
const redis = RecordStore.redis()
const cookie = Session.cookie({ keys: Sealed.keys("0123456789abcdef0123456789abcdef") })

describe("the types of a session", () => {
  it("follow from its fields", () => {
    type V = typeof Visit.Service
    type A = typeof Account.Service
    expectTypeOf<Effect.Success<V["get"]>>().toEqualTypeOf<{ readonly count: number }>()
    expectTypeOf<Effect.Error<V["get"]>>().toEqualTypeOf<never>()
    expectTypeOf<A["update"]>().returns.toEqualTypeOf<
      Effect.Effect<{ readonly cart: ReadonlyArray<string>; readonly since?: Date }, Session.SessionError>
    >()
    expectTypeOf<A["identity"]>().toEqualTypeOf<Effect.Effect<Option.Option<number>>>()
    expectTypeOf<Effect.Success<A["flashed"]>>().toEqualTypeOf<{ readonly notice?: string; readonly at?: Date }>()
    expectTypeOf<V["rotate"]>().parameters.toEqualTypeOf<
      [none?: "This session knows no identity: declare `identity`, a schema, in Session.Service"]
    >()
    expectTypeOf<A["rotate"]>().parameters.toEqualTypeOf<
      [identity: number, options?: { readonly remember?: boolean }]
    >()
  })

  it("of the middleware have what the store fails with and needs", () => {
    expectTypeOf(Session.make(Visit, { store: memory })).toEqualTypeOf<Middleware<Visit>>()
    expectTypeOf(Session.make(Visit, { store: cookie })).toEqualTypeOf<Middleware<Visit, Session.SessionError>>()
    expectTypeOf(Session.make(Visit, { store: redis })).toExtend<Middleware<Visit, RecordStore.RecordStoreError, never>>
    // @ts-expect-error 'Redis' is not assignable to type 'never'
    const _free: Middleware<Visit, RecordStore.RecordStoreError> = Session.make(Visit, { store: redis })
    // A store that is chosen when the program starts.
    const chosen = Session.make(Visit, { store: Math.PI > 3 ? memory : cookie })
    expectTypeOf(chosen).toEqualTypeOf<Middleware<Visit, Session.SessionError>>()
  })

  it("refuse what is wrong", () => {
    assert.throws(() => {
      // @ts-expect-error Did you mean to write 'count'?
      Session.Service<Visit>()("Cont", { fields: { count: Schema.Int }, empty: { cont: 0 } })
    }, /Session "Cont": "empty" is not what the fields say: Missing key/)
    // @ts-expect-error Missing `Self`: class X extends Session.Service<X>()(...)
    class Selfless extends Session.Service()("Selfless", { fields: {}, empty: {} }) {}
    const wrong = Effect.gen(function* () {
      const account = yield* Account
      // @ts-expect-error an identity comes by `rotate` alone: it is no part of the data
      yield* account.update((a) => ({ ...a, identity: 1 }) satisfies typeof a)
      // @ts-expect-error nor is it set
      account.identity = Effect.succeedSome(1)
      // @ts-expect-error of a number
      yield* account.rotate("ada")
      // @ts-expect-error without someone nobody logs in
      yield* account.rotate()
      // @ts-expect-error 'notise' does not exist; did you mean to write 'notice'?
      yield* account.flash({ notise: "" })
      // @ts-expect-error this session has no identity
      yield* (yield* Visit).rotate("ada")
    })
    assert.isDefined([Selfless, wrong])
  })
})

describe("migrations", () => {
  const First = { n: Schema.String }
  const Second = { n: Schema.Int }
  const fields = { count: Schema.Int }
  const empty = { count: 0 }
  const one = Session.migration(First, ({ n }) => ({ n: Number(n) }))
  const two = Session.migration(Second, ({ n }) => ({ count: n }))

  it("are a chain to the data of today", () => {
    class V3 extends Session.Service<V3>()("V", { fields, empty, version: 3, migrations: [one, two] }) {}
    class V2 extends Session.Service<V2>()("V", { fields, empty, migrations: [two] }) {}
    assert.isDefined([V3, V2])
  })

  it("that do not fit together do not compile", () => {
    // @ts-expect-error the last gives no data
    class Short extends Session.Service<Short>()("V", { fields, empty, migrations: [one] }) {}
    // @ts-expect-error the first gives not what the second takes
    class Odd extends Session.Service<Odd>()("V", { fields, empty, migrations: [two, two] }) {}
    assert.isDefined([Short, Odd])
  })

  it("that are more than the version allows throw", () => {
    assert.throws(
      () => Session.Service<Visit>()("V", { fields, empty, version: 2, migrations: [one, two] }),
      /Session "V": with 2 migrations its version is 3 or more/
    )
  })
})

describe("a session in a handler", () => {
  const update = Effect.gen(function* () {
    const visit = yield* Visit
    const { count } = yield* visit.update((v) => ({ count: v.count + 1 }))
    return count
  })

  it("of a described route declares that it can no longer change, and needs nothing to be read", () => {
    const read = Route.get("/", { success: Response.schema(Schema.Int) }, () =>
      Effect.flatMap(Visit, (visit) => Effect.map(visit.get, ({ count }) => count))
    )
    const changed = { body: Body.json(Schema.Int), success: Response.schema(Schema.Int) }
    const declared = Route.post("/", { ...changed, errors: [Session.SessionError] }, () => update)
    // @ts-expect-error Type 'SessionError' is not assignable to type 'BodyErrors'
    const silent = Route.post("/silent", changed, () => update)
    const app = App.make({ read, declared }).pipe(App.use(Session.make(Visit, { store: memory })))
    expectTypeOf(app["~R"]).toEqualTypeOf<never>()
    assert.isDefined(silent)
  })

  it("of a WebSocket cannot change it unseen", () => {
    const text = { receive: Schema.String, send: Schema.String }
    // @ts-expect-error Property 'closeCode' is missing in type 'SessionError'
    const unseen = WebSocket.make(text, () => update)
    const seen = WebSocket.make(text, () => Effect.ignore(update))
    const read = WebSocket.make(text, () => Effect.flatMap(Visit, (visit) => visit.get))
    assert.isDefined([unseen, seen, read])
  })
})
