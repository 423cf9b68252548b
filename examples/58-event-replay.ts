// A channel: what is published goes to every client, and to those that come again what they have missed. See it in two browsers.
//   curl -i localhost:8080/                                    # 200 and EventSource
//   curl -i --json '{"_tag":"Note","text":"one"}' localhost:8080/notes        # 201 and "id":
//   curl -i --json '{"_tag":"Note","text":"two"}' localhost:8080/notes        # 201 and "id":
//   curl -N -H 'Last-Event-ID: 0' 'localhost:8080/notes?events=3'          # event: reset and "text":"one" and "text":"two"
import { Context, Effect, Layer, Schema, Stream } from "effect"
import { App, Body, html, Response, Route, Server, Sse } from "effect-web"

const Note = Schema.TaggedStruct("Note", { text: Schema.NonEmptyString })

class Notes extends Context.Service<Notes, Sse.Channel<typeof Note.Type>>()("app/Notes") {
  static readonly layer = Layer.effect(Notes, Sse.channel({ schema: Note, replay: 100 }))
  // For several processes: nothing else changes.
  static readonly layerRedis = Layer.effect(Notes, Sse.channelRedis({ schema: Note, replay: 100, key: "notes" }))
}

const page = html`<!doctype html>
<title>Notes</title>
<form><input name="text" autofocus required><button>Publish</button></form>
<ul></ul>
<script>
  const show = (text) => document.querySelector("ul").append(Object.assign(document.createElement("li"), { textContent: text }))
  const source = new EventSource("/notes")
  source.addEventListener("Note", ({ data }) => show(JSON.parse(data).text))
  source.addEventListener("reset", () => show("(some notes are missing)"))
  document.forms[0].onsubmit = (event) => {
    event.preventDefault()
    const body = JSON.stringify({ _tag: "Note", text: event.target.text.value })
    fetch("/notes", { method: "POST", headers: { "content-type": "application/json" }, body })
    event.target.reset()
  }
</script>`

const publish = Effect.gen(function* () {
  const id = yield* (yield* Notes).publish(yield* Body.json(Note))
  return Response.json({ id }, { status: 201 })
})

// The id that the browser sends when it comes again says where it goes on; one that nobody knows begins with a "reset".
const listen = Route.get(
  "/notes",
  { query: Schema.Struct({ events: Schema.optionalKey(Schema.Int) }) },
  Effect.fnUntraced(function* ({ query }) {
    const events = yield* (yield* Notes).subscribe
    return Sse.response(Stream.take(events, query.events ?? Number.POSITIVE_INFINITY), { retry: "1 second" })
  })
)

export const app = App.make({
  page: Route.get("/", Response.html(page)),
  publish: Route.post("/notes", publish),
  listen
})

export const layer = Notes.layer

if (import.meta.main) Server.layer(app).pipe(Layer.provide(layer), Server.launch())
