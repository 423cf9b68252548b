// A form with files, decoded by a schema. The files are on disk until the answer is sent; what is to be kept is saved.
//   curl localhost:8080/                                                                # enctype="multipart/form-data"
//   curl -F title=Terms -F year=2025 -F photo=@LICENSE localhost:8080/                  # Terms of 2025: LICENSE and MIT License
//   curl -F title=Both -F photo=@LICENSE -F more=@LICENSE -F more=@package.json localhost:8080/   # 2 more
//   curl -i -F title= -F year=x -F photo=none localhost:8080/                           # 422 and "path":["photo"] and Expected a file
//   curl -i -F title=Large -F photo=@package-lock.json localhost:8080/                  # 413 and "limit":50000
import { Effect, Schema } from "effect"
import { App, html, Multipart, Response, Route, Server } from "effect-web"

const Photo = Schema.Struct({
  title: Schema.NonEmptyString,
  year: Schema.optionalKey(Schema.Int),
  photo: Multipart.File,
  more: Schema.optionalKey(Schema.Array(Multipart.File)) // <input type="file" multiple>
})

const page = html`<!doctype html>
<html lang="en">
  <title>Upload</title>
  <form method="post" enctype="multipart/form-data">
    <label>Title <input name="title" required></label>
    <label>Year <input name="year" type="number"></label>
    <label>Photo <input name="photo" type="file" required></label>
    <label>More <input name="more" type="file" multiple></label>
    <button>Send</button>
  </form>
</html>`

export const app = App.make({
  form: Route.get("/", Response.html(page)),
  upload: Route.post(
    "/",
    { body: Multipart.form(Photo, { limit: "20 MB", fileLimit: "50 kB" }) },
    Effect.fnUntraced(function* ({ body: { more = [], photo, title, year } }) {
      const [first] = (yield* photo.text).split("\n")
      const size = `${photo.filename} sized of ${photo.size}`
      return Response.text(`${title} of ${year ?? "some year"}: ${size}, ${more.length} more, it begins with ${first}`)
    })
  )
})

if (import.meta.main) Server.run(app)
