/**
 * The limit of a body holds for the stream too that passes it on, when its handler has ended.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as App from "../src/App.ts"
import * as Request from "../src/Request.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { served } from "../src/testing/Served.ts"

const passOn = Effect.map(Request.current, ({ stream }) => Response.stream(stream))

const app = App.make({
  passOn: Route.post("/passOn", passOn).pipe(Route.bodyLimit("3 MiB")),
  inner: Route.mount("/inner", App.make({ passOn: Route.post("/", passOn) }, { bodyLimit: "3 MiB" }))
})

for (const path of ["/passOn", "/inner/"]) {
  served(`3 MiB through ${path} arrive, and one byte more is 413`, app, (client) =>
    Effect.gen(function* () {
      const bytes = new Uint8Array(3 * 1024 * 1024).fill(1)
      const whole = yield* client.post(path, { body: HttpBody.uint8Array(bytes) })
      assert.isTrue(Buffer.from(yield* whole.arrayBuffer).equals(bytes))
      const more = yield* client.post(path, { body: HttpBody.uint8Array(new Uint8Array(bytes.length + 1)) })
      assert.strictEqual(more.status, 413)
    })
  )
}
