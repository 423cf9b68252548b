/**
 * The chat in real browsers: two people talk, one is killed, the server stops and comes back.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Chat from "../examples/56-chat.ts"
import * as Server from "../src/server/Server.ts"
import * as Browser from "./browser.ts"

/** Waits until a list of the page is so. */
const shows = (page: Browser.Page, list: "said" | "here", ...wanted: ReadonlyArray<string>) =>
  page.run(
    ({ list, wanted }) =>
      new Promise<void>((resolve) => {
        const look = () => {
          const items = [...document.querySelectorAll(`#${list} li`)].map(({ textContent }) => textContent)
          if (JSON.stringify(items) === JSON.stringify(wanted)) resolve()
          else setTimeout(look, 10)
        }
        look()
      }),
    { list, wanted }
  )

const write = (page: Browser.Page, text: string) =>
  page.run((text) => {
    document.querySelector<HTMLInputElement>("#text")!.value = text
    document.querySelector<HTMLFormElement>("#form")!.requestSubmit()
  }, text)

const status = (page: Browser.Page, wanted: string) =>
  page.run(
    (wanted) =>
      new Promise<void>((resolve) => {
        const look = () =>
          document.querySelector("#status")?.textContent === wanted ? resolve() : setTimeout(look, 10)
        look()
      }),
    wanted
  )

it.live(
  "two pages talk; one is killed; the server comes back, and so does the other",
  () =>
    Effect.gen(function* () {
      const serverScope = yield* Scope.make()
      const { url } = yield* Scope.provide(Server.start(Chat.app, { host: "127.0.0.1", port: 0 }), serverScope)
      const ada = yield* Browser.start()
      yield* ada.open(url)
      yield* write(ada, "Ada <b>")
      yield* shows(ada, "here", "Ada <b>")
      yield* write(ada, "Is anybody there?")
      yield* shows(ada, "said", "Ada <b>Is anybody there?")

      const graceScope = yield* Scope.make()
      const grace = yield* Scope.provide(Browser.start(), graceScope)
      yield* grace.open(`${url}/#lobby`)
      yield* write(grace, "Grace")
      for (const page of [ada, grace]) yield* shows(page, "here", "Ada <b>", "Grace")
      yield* shows(grace, "said", "Ada <b>Is anybody there?")
      yield* write(grace, "I am")
      for (const page of [ada, grace]) yield* shows(page, "said", "Ada <b>Is anybody there?", "GraceI am")

      yield* grace.run(() => location.assign("#garden"))
      yield* shows(grace, "here", "Grace")
      yield* shows(grace, "said")
      yield* shows(ada, "here", "Ada <b>")
      yield* grace.run(() => location.assign("#lobby"))
      yield* shows(ada, "here", "Ada <b>", "Grace")
      yield* Scope.close(graceScope, Exit.void)
      yield* shows(ada, "here", "Ada <b>")

      yield* Scope.close(serverScope, Exit.void)
      yield* status(ada, "Connecting ...")
      yield* Server.start(Chat.app, { host: "127.0.0.1", port: Number(new URL(url).port) })
      yield* status(ada, "Connected as Ada <b>")
      yield* shows(ada, "here", "Ada <b>")
      yield* write(ada, "Again")
      yield* shows(ada, "said", "Ada <b>Is anybody there?", "GraceI am", "Ada <b>Again")
      assert.deepStrictEqual([...ada.errors, ...grace.errors], [])
    }),
  60_000
)
