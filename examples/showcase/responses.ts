/**
 * Cookies, streams, downloads, conditional requests, compression, languages.
 */
import { Effect, Schedule, Schema, Stream } from "effect"
import { html, Request, Response, Route } from "effect-web"
import type { Group } from "./page.ts"

const Visits = Schema.Struct({ visits: Schema.Int })

const count = Effect.gen(function* () {
  const { visits } = yield* Request.decodeCookies(Visits).pipe(
    Effect.catchTag("BadRequest", () => Effect.succeed({ visits: 0 }))
  )
  const options = { httpOnly: true, sameSite: "lax", maxAge: "1 hour" } as const
  return Response.text(`You were here ${visits + 1} times`).pipe(
    Response.setCookie("visits", String(visits + 1), options)
  )
})

const forget = Response.text("Forgotten").pipe(Response.expireCookie("visits"))

const ticks = Stream.fromSchedule(Schedule.spaced("200 millis")).pipe(
  Stream.take(8),
  Stream.map((n) => `tick ${n + 1} of 8\n`),
  Stream.ensuring(Effect.log("the ticking has stopped"))
)

const squares = Stream.range(1, 1000).pipe(Stream.map((n) => `${n},${n * n}\n`))
const table = Stream.concat(Stream.make("n,square\n"), squares)

const note = Response.text("This text has a version.").pipe(Response.etag("v1"))

const poem = Response.text("All work and no play makes Jack a dull boy.\n".repeat(400))

const greetings = { en: "Good morning", de: "Guten Morgen", fr: "Bonjour" } as const

const greet = Effect.map(Request.language(["en", "de", "fr"]), (language) =>
  Response.text(greetings[language]).pipe(
    Response.setHeader("content-language", language),
    Response.vary("Accept-Language")
  )
)

export const routes = {
  visits: Route.get("/visits", count),
  forget: Route.post("/visits/forget", forget),
  ticks: Route.get("/ticks", Response.stream(ticks, { contentType: "text/plain; charset=utf-8" })),
  squares: Route.get(
    "/squares",
    Response.stream(table, { contentType: "text/csv" }).pipe(Response.attachment("squares.csv"))
  ),
  version: Route.get("/version", note),
  poem: Route.get("/poem", poem),
  greetings: Route.get("/greeting", greet)
}

export const group: Group = {
  id: "responses",
  title: "Responses",
  text: "Responses are immutable values; what changes one gives a copy, in a pipe.",
  cards: [
    {
      title: "Cookies",
      text: html`Read by a schema, set with attributes, forgotten. This one is <code>HttpOnly</code>: only the server sees it.`,
      example: "29-cookies.ts",
      tries: [
        { label: "/visits", path: "/visits" },
        { label: "/visits/forget", path: "/visits/forget", method: "POST" }
      ]
    },
    {
      title: "Streams",
      text: html`A body that is sent while it is made. When the client leaves, making it stops: look at the server's log.`,
      example: "32-streams.ts",
      tries: [
        { label: "/ticks", path: "/ticks" },
        { label: "/ticks, and leave", path: "/ticks", leaveAfter: 700 }
      ]
    },
    {
      title: "Downloads",
      text: html`<code>Response.attachment("squares.csv")</code> on a stream of a thousand rows.`,
      example: "32-streams.ts",
      tries: [
        { label: "/squares (save)", path: "/squares", open: true },
        { label: "/squares (look)", path: "/squares" }
      ]
    },
    {
      title: "Conditional requests",
      text: html`An answer with an <code>ETag</code> is 304, without a body, for whoever has it already.`,
      example: "30-conditional-requests.ts",
      tries: [
        { label: "/version", path: "/version" },
        { label: "... If-None-Match", path: "/version", headers: { "if-none-match": '"v1"' } },
        { label: "... If-Match: another", path: "/version", headers: { "if-match": '"v0"' } }
      ]
    },
    {
      title: "Compression",
      text: html`br, gzip, deflate or zstd as the client asks: 17,600 bytes of prose become about fifty. See
        <code>content-encoding</code>.`,
      example: "31-compression.ts",
      tries: [{ label: "/poem", path: "/poem" }]
    },
    {
      title: "Languages",
      text: html`<code>Request.language</code> picks by <code>Accept-Language</code> and its weights.`,
      example: "21-request.ts",
      tries: [
        { label: "yours", path: "/greeting" },
        { label: "de, en;q=0.5", path: "/greeting", headers: { "accept-language": "de, en;q=0.5" } },
        { label: "fr-CH", path: "/greeting", headers: { "accept-language": "fr-CH" } }
      ]
    }
  ]
}
