/** A page of a table, which takes a quarter of a millisecond or more to make, by as many workers as `WORKERS` says. */
import * as Effect from "effect/Effect"
import { App, Html, Response, Route, Server } from "../../../dist/index.js"

const rows = Array.from({ length: 500 }, (_, index) => ({ name: `<row ${index}>`, price: index * 3 }))

const page = Effect.sync(() =>
  Response.html(
    Html.html`<table>${rows.map(({ name, price }) => Html.html`<tr><td>${name}</td><td>${price}</td></tr>`)}</table>`
  )
)

Server.run(App.make({ page: Route.get("/", page) }), {
  port: Number(process.env.PORT),
  host: "127.0.0.1",
  workers: Number(process.env.WORKERS)
})
