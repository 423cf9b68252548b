/**
 * What a user is told: the types that an editor shows, and the compiler's messages for the usual mistakes.
 */
import { readFileSync } from "node:fs"
import { assert, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Compiler from "./compiler.ts"

it("an editor shows the main values in words that can be read", { timeout: 60_000 }, async () => {
  const shown = await Compiler.hovers("test/types/hovers.ts")
  await expect(`${shown.join("\n\n")}\n`).toMatchFileSnapshot("types/hovers.snapshot.txt")
})

/** The mistake, what the compiler's last line ends with, and how many lines about the insides of a type come after it. */
type Row = readonly [mistake: string, says: string, more?: number]

const unanswered = (tag: string) => `"${tag} has no response: catch it, or define it with HttpError.define"`
const user = "{ readonly id: string; readonly name: string; readonly at: Date; }"
const aRoute = `'Route<string, unknown, unknown, unknown, unknown>': path, handlers, description, "~In", "~Out"`

const rows: ReadonlyArray<Row> = [
  ["an unanswered failure, toHandler", `parameter of type '${unanswered("DbError")}'.`],
  ["an unanswered failure, Server.layer", `parameter of type '${unanswered("DbError")}'.`],
  ["an unanswered failure, Server.run", `parameter of type '${unanswered("DbError")}'.`],
  ["an unanswered failure, Testing.client", `parameter of type '${unanswered("DbError")}'.`],
  ["two unanswered failures", `parameter of type '${unanswered("CacheError")} | ${unanswered("DbError")}'.`],
  ["an unanswered failure of a middleware", `parameter of type '${unanswered("DbError")}'.`],
  ["an unanswered failure in a mount", `parameter of type '${unanswered("DbError")}'.`],
  ["an unanswered failure without a tag", `parameter of type '${unanswered("an error")}'.`],
  ["an unanswered failure that is a text", `parameter of type '${unanswered("a failure")}'.`],
  ["an unanswered failure behind an annotation", "Type 'DbError' is not assignable to type 'never'."],
  ["a class that is none of the failures", `parameter of type '${unanswered("DbError")}'.`],
  ["needs that are any", `parameter of type '"The needs of this app are \`any\`"'.`],
  ["failures that are any", `parameter of type '"The failures of this app are \`any\`"'.`],
  [
    "a missing service, Server.run",
    `type '"app/Db is missing: provide it by a middleware (App.use), or by a layer (Server.layer(app) with Layer.provide)"'.`
  ],
  [
    "a missing service, Server.launch",
    `type '"app/Db is missing: provide it by a middleware (App.use), or by a layer (Server.layer(app) with Layer.provide)"'.`
  ],
  ["a missing service, Layer.launch", "Type 'Db' is not assignable to type 'never'."],
  [
    "a user who is needed, and no middleware that provides one",
    `type '"app/CurrentUser is missing: provide it by a middleware (App.use), or by a layer (Server.layer(app) with Layer.provide)"'.`
  ],
  [
    "permission before there is a user",
    `type '"app/CurrentUser is missing: provide it by a middleware (App.use), or by a layer (Server.layer(app) with Layer.provide)"'.`
  ],
  ["a scheme that finds something else", "Type 'number' is not assignable to type '{ readonly name: string; }'."],
  ["optional, and a service that cannot be undefined", `to type '"The service cannot be undefined: use another one"'.`],
  ["a missing service, toWebHandler", "Type 'Db' is not assignable to type 'never'."],
  ["a missing service behind an annotation", "Type 'Db' is not assignable to type 'never'."],
  ["a typo in a URL parameter", "'di' does not exist in type '{ readonly id: string | number; }'."],
  [
    "a missing URL parameter",
    "Property 'id' is missing in type '{}' but required in type '{ readonly id: string | number; }'."
  ],
  ["a URL without its parameters", "Expected 1-2 arguments, but got 0."],
  ["a typo in a route name", "Did you mean 'item'?"],
  ["a typo in a parameter", "Property 'ids' does not exist on type '{ readonly id: string; }'."],
  ["a typo in a parameter that is destructured", "Property 'ids' does not exist on type '{ readonly id: string; }'."],
  ["a parameter of a path without any", "Property 'id' does not exist on type '{}'."],
  [
    "a handler that returns a string",
    "Type 'string' is not assignable to type 'Handler<never, never> | HttpServerResponse'."
  ],
  ["a handler that returns an Effect of a string", "Type 'string' is not assignable to type 'HttpServerResponse'."],
  ["a generator that returns a string", "Type 'string' is not assignable to type 'HttpServerResponse'."],
  [
    "a handler that is a Promise",
    "Type 'Promise<HttpServerResponse>' is not assignable to type 'Handler<never, never> | HttpServerResponse'."
  ],
  [
    "an undeclared failure in a described route",
    "Type 'DbError' is not assignable to type 'EmailTaken | BodyError'",
    1
  ],
  ["an undeclared failure in a described route without a body", "Type 'EmailTaken' is not assignable to type 'never'."],
  [
    "a wrong result in a described route",
    `Property 'name' is missing in type '{ id: string; at: Date; }' but required in type '${user}'.`
  ],
  [
    "a response where a described route returns a value",
    `Type 'HttpServerResponse' is missing the following properties from type '${user}': id, name, at`
  ],
  [
    "a value where a described route returns a response",
    "is missing the following properties from type 'HttpServerResponse': pipe, [TypeId], status, headers, and 4 more."
  ],
  [
    "a typo in a decoded body",
    "Property 'nam' does not exist on type '{ readonly name: string; readonly email: string; }'. Did you mean 'name'?"
  ],
  ["a part that is not described", "Property 'query' does not exist on type '{}'."],
  [
    "an error class without a response in errors",
    "Property 'status' is missing in type 'typeof DbError' but required in type 'ErrorClass'."
  ],
  [
    "a schema of other parameters",
    "Property 'id' is missing in type '{ readonly ID: string; }' but required in type '{ readonly id: unknown; }'."
  ],
  [
    "a misspelled slot",
    `'querry' does not exist in type 'Description<"/u/{id}"> & {}'. Did you mean to write 'query'?`
  ],
  ["a misspelled slot beside a right one", "Type 'Struct<{ readonly q: String; }>' is not assignable to type 'never'."],
  ["parameters of a path that has none", "Type 'Struct<{ readonly id: String; }>' is not assignable to type 'never'."],
  ["the query of a URL in the place of its parameters", "Type 'number' is not assignable to type 'never'."],
  ["a reserved field of an error", "Type 'String' is not assignable to type 'never'."],
  [
    "a server of what is no app",
    `'"This is no app, or a handler in it has no type: make it with App.make, and annotate handlers that only throw"'.`
  ],
  ["a cookie whose age has no unit", "... 10 more ... | undefined'."],
  [
    "a schema where a body stands",
    `from type 'Body<unknown, unknown>': "~body", toJSON, [NodeInspectSymbol], [TypeId], [Symbol.iterator]`
  ],
  [
    "a mount of what is no app",
    "Object literal may only specify known properties, and 'home' does not exist in type 'App<unknown, unknown, Routes, unknown>'."
  ],
  ["a mounted layer that may fail to build", "Type 'DbError' is not assignable to type 'never'."],
  [
    "a service provided that is not the service",
    "Property 'user' is missing in type '{ name: string; }' but required in type '{ readonly user: string; }'."
  ],
  [
    "a bare handler in the table",
    "Property '_tag' is missing in type 'Effect<HttpServerResponse, never, never>' but required in type 'Entry'."
  ],
  ["an app in the table", `Type '"App"' is not assignable to type '"Host" | "Mount" | "MountedHandler" | "Route"'.`],
  ["a middleware that forgets to provide", "Type 'Db' is not assignable to type 'R | Engine'.", 3],
  ["a middleware that adds an undeclared failure", "Type 'E | DbError' is not assignable to type 'E'.", 1],
  ["a middleware that needs an undeclared service", "Type 'Sessions' is not assignable to type 'R | Engine'.", 3],
  ["a middleware that returns a string", "Type 'string' is not assignable to type 'HttpServerResponse'."],
  ["middleware of a route used on an app", `is missing the following properties from type ${aRoute}`],
  ["a policy on an app", `is missing the following properties from type ${aRoute}`],
  ["a policy that is none", `'"stay"' is not assignable to parameter of type '"finish" | "interrupt" | FinishWithin'.`],
  [
    "a middleware in the place of a policy",
    "Type 'string' is not assignable to type 'Middleware<never, unknown, unknown, never>'."
  ],
  [
    "a policy in the place of a middleware",
    `to type '"This is a policy: use App.policy for an app, and route.pipe(policy) for a route"'.`
  ],
  [
    "a policy in the place of a route's middleware",
    `to type '"This is a policy: use App.policy for an app, and route.pipe(policy) for a route"'.`
  ],
  [
    "an identity in a session that knows none",
    `of type '"This session knows no identity: declare \`identity\`, a schema, in Session.Service"'.`
  ],
  [
    "a transaction without a database",
    `type '"A service is missing: provide it by a middleware (App.use), or by a layer (Server.layer(app) with Layer.provide)"'.`
  ],
  ["a timeout in words that are none", `Argument of type '"5 secs"' is not assignable to parameter of type 'Input'.`],
  [
    "a view with a wrong handler",
    "Type 'string' is not assignable to type 'Handler<unknown, unknown> | HttpServerResponse'."
  ],
  [
    "an error class without Self",
    `Type '"Missing \`Self\`: class X extends HttpError.define<X>()(...)"' is not a constructor function type.`
  ],
  ["a failure without its fields", "Expected 1-2 arguments, but got 0."],
  ["an option that is not there", "'bodyLimits' does not exist in type 'Options'. Did you mean to write 'bodyLimit'?"],
  [
    "a size that is none",
    `Type '"1 megabite"' is not assignable to type 'Input | undefined'. Did you mean '"0 megabyte"'?`
  ]
]

const exact =
  " with 'exactOptionalPropertyTypes: true'. Consider adding 'undefined' to the types of the target's properties."

describe("the compiler says of", () => {
  const said = new Map<string, ReadonlyArray<string>>()

  beforeAll(async () => {
    const names = new Map<number, string>()
    let name = "no mistake"
    for (const [index, line] of readFileSync("test/types/mistakes.ts", "utf8").split("\n").entries()) {
      name = /^\/\/ ## (.*)$/.exec(line)?.[1] ?? name
      names.set(index + 1, name)
    }
    for (const { path, line, message } of await Compiler.diagnostics("test/types")) {
      const mistake = path === "test/types/mistakes.ts" ? names.get(line)! : path
      said.set(mistake, [...(said.get(mistake) ?? []), message])
    }
  }, 60_000)

  for (const [mistake, says, more = 0] of rows) {
    it(`${mistake}: ${says}`, () => {
      const messages = said.get(mistake) ?? []
      assert.lengthOf(messages, 1, messages.join("\n"))
      const last = messages[0]!.split("\n").at(-1 - more) ?? ""
      assert.strictEqual(last.replace(exact, "").slice(-says.length), says, messages[0])
    })
  }

  it("an unanswered failure, in one line", () => {
    for (const [mistake, says] of rows.filter((row) => row[1].includes("has no response"))) {
      assert.match(
        said.get(mistake)?.[0] ?? "",
        /^Argument of type 'App<.*>' is not assignable to parameter of type '.*'\.$/,
        says
      )
    }
  })

  it("no other program", () =>
    assert.sameMembers(
      [...said.keys()],
      rows.map(([mistake]) => mistake)
    ))
})
