/**
 * Uploads, files, streams of values and events, and a proxy.
 */
import { Context, Effect, Layer, Schedule, Schema, Stream } from "effect"
import { Body, html, Multipart, Proxy, Response, Route, Sse, StaticFiles } from "effect-web"
import * as Chat from "../56-chat.ts"
import type { Group } from "./page.ts"

const Photo = Schema.Struct({ title: Schema.NonEmptyString, photo: Multipart.File })

const photo = Route.post("/photos", { body: Multipart.form(Photo, { limit: "64 kB" }) }, ({ body: { photo, title } }) =>
  Effect.succeed(Response.json({ title, filename: photo.filename, type: photo.contentType, bytes: photo.size }))
)

const Row = Schema.Struct({ id: Schema.Int, at: Schema.Date })
const rows = Stream.map(Stream.range(1, 3), (id) => ({ id, at: new Date(id * 86_400_000) }))

const Count = Schema.Union([
  Schema.TaggedStruct("Tick", { left: Schema.Int }),
  Schema.TaggedStruct("LiftOff", { text: Schema.String })
])
const countdown = Stream.fromIterable([3, 2, 1]).pipe(
  Stream.map((left) => ({ _tag: "Tick", left }) as const),
  Stream.schedule(Schedule.spaced("400 millis")),
  Stream.concat(Stream.succeed({ _tag: "LiftOff", text: "it flies" } as const))
)

/** What is told to all that listen, and kept for those that come again. */
export class News extends Context.Service<News, Sse.Channel<string>>()("showcase/News") {
  static readonly layer = Layer.effect(News, Sse.channel({ schema: Schema.String, replay: 20 }))
}

const publish = Effect.gen(function* () {
  const { text } = yield* Body.form(Schema.Struct({ text: Schema.NonEmptyString }))
  const id = yield* (yield* News).publish(text)
  return Response.json({ id }, { status: 201 })
})

const listen = Effect.gen(function* () {
  const events = yield* (yield* News).subscribe
  return Sse.response(events, { retry: "1 second" })
})

export const routes = {
  photo,
  assets: Route.mountHandler("/assets", StaticFiles.make({ root: new URL(".", import.meta.url), fingerprints: true })),
  rows: Route.get("/rows", Response.ndjson(Row, rows)),
  countdown: Route.get("/countdown", Sse.response(countdown, { schema: Count })),
  news: Route.view("/news", { get: listen, post: publish }),
  chat: Route.mount("/chat", Chat.app),
  upstream: Route.mountHandler("/upstream", Proxy.make({ upstream: "http://127.0.0.1:9" }))
}

const range = (value: string) => ({ path: "/assets/script.js", headers: { range: `bytes=${value}` } })

export const group: Group = {
  id: "files",
  title: "Files and streams",
  text: "What is large flows through: nothing is read faster than it is used, and whoever leaves stops it.",
  cards: [
    {
      title: "An upload",
      text: html`A form with a file, by a schema, up to 64 kB. Files are there until the request has ended, or saved whole.`,
      example: "51-upload-form.ts",
      control: html`<form action="/photos" method="post" enctype="multipart/form-data">
        <label>Title <input name="title" value="The sea"></label>
        <label>Photo <input name="photo" type="file"></label>
        <button>Upload</button>
      </form>`,
      tries: [
        {
          label: "not multipart: 415",
          method: "POST",
          path: "/photos",
          headers: { "content-type": "text/plain" },
          body: "no form"
        }
      ]
    },
    {
      title: "Static files",
      text: html`The script of this page, by ETag, ranges and content type. Nothing leads out of its folder.`,
      example: "53-static-site.ts",
      tries: [
        { label: "/assets/script.js", path: "/assets/script.js" },
        { label: "the first 10 bytes: 206", ...range("0-9") },
        { label: "two ranges: multipart", ...range("0-9,-10") },
        { label: "no such range: 416", ...range("99999999-") },
        { label: "/assets/none.js", path: "/assets/none.js" },
        { label: "/assets/%2e%2e/showcase.ts", path: "/assets/..%2fshowcase.ts" }
      ]
    },
    {
      title: "Values, streamed",
      text: html`NDJSON by a schema, line by line; typed events, each named by its tag.`,
      example: "57-ticker.ts",
      tries: [
        { label: "/rows", path: "/rows" },
        { label: "/countdown", path: "/countdown" }
      ]
    },
    {
      title: "Live news",
      text: html`What is published goes to all that listen. Who comes again, with the id of the last event, has missed nothing.`,
      example: "58-event-replay.ts",
      control: html`<form action="/news" method="post">
        <label>News <input name="text" value="It works"></label>
        <button>Publish</button>
      </form>`,
      tries: [
        { label: "listen from now on", path: "/news", leaveAfter: 2000 },
        { label: "come again", path: "/news", headers: { "last-event-id": "0" }, leaveAfter: 1000 }
      ]
    },
    {
      title: "A chat",
      text: html`WebSockets, typed both ways, in rooms. Open it in two windows; stop the server, and start it again.`,
      example: "56-chat.ts",
      tries: [
        { label: "/chat/", path: "/chat/", open: true },
        { label: "no WebSocket: 426", path: "/chat/rooms/lobby/Ada" }
      ]
    },
    {
      title: "A proxy",
      text: html`Streams both ways, tunnels WebSockets, tells who asked. Here nobody is behind it.`,
      example: "59-proxy.ts",
      tries: [{ label: "/upstream: 502", path: "/upstream/users" }]
    }
  ]
}
