/**
 * Attacks by means of an Idempotency-Key: to see another's answer, to have work done twice, or to fill a server.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as Idempotency from "../../src/middleware/Idempotency.ts"
import * as RecordStore from "../../src/RecordStore.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { attacks } from "./attacks.ts"

const started = Effect.fnUntraced(function* (store: RecordStore.RecordStore = RecordStore.memory()) {
  const state = { runs: 0 }
  const pay = Effect.gen(function* () {
    const user = yield* Request.header("x-user")
    yield* Body.text()
    return Response.text(`${user} paid ${++state.runs}`).pipe(Response.setCookie("session", "secret"))
  })
  const scope = Effect.map(Request.header("x-user"), (user = "") => user)
  const once = Idempotency.make({ scope, store, bodyLimit: "1 kB" })
  const client = yield* Testing.client(App.make({ pay: Route.post("/", pay).pipe(Route.use(once)) }))
  const post = (user: string, key: string, body: HttpBody.HttpBody = HttpBody.text("10")) =>
    client.post("/", { headers: { "x-user": user, "idempotency-key": key }, body })
  return { client, post, state }
})

/** A store that others can write in, and of which all texts are seen. */
const watched = () => {
  const memory = RecordStore.memory()
  const texts: Array<string> = []
  const store: RecordStore.RecordStore = {
    ...memory,
    put: (key, value, options) => {
      texts.push(key, value)
      return memory.put(key, value, options)
    }
  }
  return { memory, store, texts }
}

attacks("idempotency keys", [
  {
    attack: "a user sends the key and the body of another, to see the answer",
    stoppedBy: "keys belong to the scope; the user's own request is carried out",
    run: Effect.gen(function* () {
      const { post } = yield* started()
      yield* post("ann", "k")
      assert.strictEqual(yield* (yield* post("bob", "k")).text, "bob paid 2")
    })
  },
  {
    attack: "a user whose name and key together look like those of another",
    stoppedBy: "scope and key are a list before they are hashed",
    run: Effect.gen(function* () {
      const { post, state } = yield* started()
      for (const [user, key] of [
        ["ann", "bk"],
        ["annb", "k"],
        ['ann","b', "k"],
        ["ann", '"\\",\\"bk"'],
        ["", "annbk"]
      ] as const) {
        assert.isUndefined((yield* post(user, key)).headers["idempotent-replayed"])
      }
      assert.strictEqual(state.runs, 5)
    })
  },
  {
    attack: "an answer of 10 is asked for again with a body of 1000",
    stoppedBy: "the fingerprint: 422",
    run: Effect.gen(function* () {
      const { post, state } = yield* started()
      yield* post("ann", "k")
      assert.strictEqual((yield* post("ann", "k", HttpBody.text("1000"))).status, 422)
      assert.strictEqual(state.runs, 1)
    })
  },
  {
    attack: "a hundred of one request at a time, to be served between the check and the work",
    stoppedBy: "one claims the key, the others wait",
    run: Effect.gen(function* () {
      const { post, state } = yield* started()
      const all = Array.from({ length: 100 }, () => post("ann", "k"))
      const answers = yield* Effect.forEach(all, (one) => Effect.flatMap(one, ({ text }) => text), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual([...new Set(answers)], ["ann paid 1"])
      assert.strictEqual(state.runs, 1)
    })
  },
  {
    attack: "a body without an end, to be read whole for its fingerprint",
    stoppedBy: "the limit, by Content-Length and by count: 413",
    run: Effect.gen(function* () {
      const { post, state } = yield* started()
      const endless = HttpBody.stream(Stream.forever(Stream.succeed(new Uint8Array(100))))
      assert.strictEqual((yield* post("ann", "a", endless)).status, 413)
      assert.strictEqual((yield* post("ann", "b", HttpBody.text("x".repeat(1001)))).status, 413)
      assert.strictEqual(state.runs, 0)
    })
  },
  {
    attack: "a thousand keys, to fill the memory",
    stoppedBy: "the size of the store: the oldest answers go",
    run: Effect.gen(function* () {
      const { post, state } = yield* started(RecordStore.memory({ size: "20 kB" }))
      for (let n = 0; n < 1000; n++) yield* post("ann", `${n}`)
      assert.strictEqual((yield* post("ann", "999")).headers["idempotent-replayed"], "true")
      assert.isUndefined((yield* post("ann", "0")).headers["idempotent-replayed"])
      assert.strictEqual(state.runs, 1001)
    })
  },
  {
    attack: "who can read the store looks for keys, users and cookies",
    stoppedBy: "keys and users are hashed, Set-Cookie is not kept (bodies are)",
    run: Effect.gen(function* () {
      const { store, texts } = watched()
      const { post } = yield* started(store)
      yield* post("ann@example.com", "a-secret-key")
      const all = texts.join("\n")
      for (const secret of ["a-secret-key", "session", "secret"]) assert.notInclude(all, secret)
      assert.notInclude(texts.filter((_, index) => index % 2 === 0).join("\n"), "ann")
    })
  },
  {
    attack: "a record that is no claim",
    stoppedBy: "it is as good as nothing, and is written over",
    run: Effect.gen(function* () {
      const { memory, store, texts } = watched()
      const { post, state } = yield* started(store)
      yield* post("ann", "k")
      const key = texts[0] as string
      for (const value of ["", "null", "{}", "[1", '"text"']) {
        yield* memory.remove(key)
        yield* memory.put(key, value, { expected: undefined, expiresIn: "1 hour" })
        const before = state.runs
        assert.strictEqual((yield* post("ann", "k")).status, 200)
        assert.strictEqual(state.runs, before + 1)
      }
    })
  },
  {
    attack: "keys that mean something to objects, stores or headers",
    stoppedBy: "the grammar (400), or their hash",
    run: Effect.gen(function* () {
      const { post } = yield* started()
      for (const key of [
        "__proto__",
        "constructor",
        "*",
        "a:b",
        "%00",
        "'; DROP TABLE records; --".replaceAll(" ", "_")
      ]) {
        assert.isUndefined((yield* post("ann", key)).headers["idempotent-replayed"])
      }
      for (const key of ["a b", "a,b", '"a', "x".repeat(256)]) {
        assert.strictEqual((yield* post("ann", key)).status, 400, key)
      }
    })
  }
])
