import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as App from "../src/App.ts"
import * as Route from "../src/Route.ts"
import { answer, handle, says, where } from "./apps.ts"

const app = (text: string) => App.make({ home: Route.get("/", says(text)) })

const hosts = App.make({
  home: Route.get("/", says("root")),
  only: Route.get("/only", says("root")),
  wild: Route.host("*.example.com", app("wild")),
  api: Route.host("API.example.com", app("api")),
  tenant: Route.host("{tenant}.bücher.example", App.make({ item: Route.get("/{id}", where) })),
  address: Route.host("127.0.0.1", app("v4")),
  six: Route.host("[::1]", app("v6"))
})

describe("Route.host", () => {
  it.effect.each([
    ["example.com", "root"],
    ["api.example.com", "api"],
    ["api.example.com.", "api"],
    ["a.example.com", "wild"],
    ["a.b.example.com", "wild"],
    ["a.example.com.", "wild"],
    ["api.example.com.evil", "root"],
    ["127.0.0.1", "v4"],
    ["[::1]", "v6"],
    ["", "root"]
  ] as const)("the host %s is answered by %s", ([host, text]) =>
    Effect.map(handle(hosts, "GET /", { host }), (found) => assert.strictEqual(found.text, text))
  )

  it.effect("the parameters of the host stand beside those of the path", () =>
    Effect.map(handle(hosts, "GET /7", { host: "acme.xn--bcher-kva.example" }), ({ text }) =>
      assert.strictEqual(text, `tenant.item /{id} {"tenant":"acme","id":"7"}`)
    )
  )

  it.effect("the host that matches is final, also where it has no such path", () =>
    Effect.map(answer(hosts, "GET /only", { host: "api.example.com" }), ({ status }) => assert.strictEqual(status, 404))
  )
})
