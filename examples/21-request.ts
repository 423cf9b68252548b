// The parts of a request: as they are, or decoded by a schema. What does not fit is a 400 that says where and why.
//   curl 'localhost:8080/search/de?q=effect&page=2'     # {"lang":"de","q":"effect","page":2,"tags":[]}
//   curl 'localhost:8080/search/en?q=a&tags=x&tags=y'   # {"lang":"en","q":"a","page":1,"tags":["x","y"]}
//   curl -i 'localhost:8080/search/de?q=effect&page=x'  # 400 and "in":"query","path":["page"]
//   curl -i localhost:8080/search/xx?q=a                # 400 and "in":"params","path":["lang"]
//   curl -H 'X-Trace: 7' -b theme=dark localhost:8080/echo    # {"trace":7,"theme":"dark"}
//   curl localhost:8080/about?x=1                             # "method":"GET","path":"/about","query":{"x":"1"}
import { Effect, Schema } from "effect"
import { App, Request, Response, Route, Server } from "effect-web"

const Params = Schema.Struct({ lang: Schema.Literals(["en", "de"]) })
const Query = Schema.Struct({
  q: Schema.String,
  page: Schema.Int.pipe(Schema.withDecodingDefaultType(Effect.succeed(1))),
  tags: Schema.Array(Schema.String).pipe(Schema.withDecodingDefaultType(Effect.succeed([])))
})

const search = Effect.gen(function* () {
  const { lang } = yield* Request.decodeParams(Params)
  return Response.json({ lang, ...(yield* Request.decodeQuery(Query)) })
})

const echo = Effect.gen(function* () {
  const headers = yield* Request.decodeHeaders(Schema.Struct({ "x-trace": Schema.Int }))
  const cookies = yield* Request.decodeCookies(Schema.Struct({ theme: Schema.String }))
  return Response.json({ trace: headers["x-trace"], theme: cookies.theme })
})

const about = Effect.gen(function* () {
  const [method, path, query] = yield* Effect.all([Request.method, Request.path, Request.query])
  const language = yield* Request.language(["en", "de"])
  return Response.json({ method, path, query: query.toRecord(), language }).pipe(Response.vary("Accept-Language"))
})

export const app = App.make({
  search: Route.get("/search/{lang}", search),
  echo: Route.get("/echo", echo),
  about: Route.get("/about", about)
})

if (import.meta.main) Server.run(app)
