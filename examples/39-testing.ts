// Testing an app: the same client in memory, where no socket is opened, and on a real port. This file is the program that tests.
//   curl localhost:8080/orders/1            # {"id":1,"state":"open"}
//   curl -i localhost:8080/orders/2         # 404 and No such order
import * as assert from "node:assert/strict"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { App, HttpError, Response, Route } from "effect-web"
import { Testing } from "effect-web/testing"

export const app = App.make({
  order: Route.get(
    "/orders/{id:\\d+}",
    Effect.fnUntraced(function* ({ params }) {
      if (params.id !== "1") return yield* new HttpError.NotFound({ text: "No such order" })
      return Response.json({ id: 1, state: "open" })
    })
  )
})

const check = Effect.fnUntraced(function* (client: Testing.Client) {
  const found = yield* client.get("/orders/1")
  assert.equal(found.status, 200)
  assert.deepEqual(yield* found.json, { id: 1, state: "open" })

  const missing = yield* client.get("/orders/2", { headers: { accept: "text/plain" } })
  assert.equal(missing.status, 404)
  assert.equal(yield* missing.text, "404: Not Found\nNo such order")
  yield* Console.log(`${client.url} is as it should be`)
})

export const program = Effect.gen(function* () {
  yield* check(yield* Testing.client(app))
  yield* check(yield* Testing.socketClient(app))
}).pipe(Effect.scoped)

if (import.meta.main) NodeRuntime.runMain(program)
