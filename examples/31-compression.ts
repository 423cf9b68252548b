// Compression, as the client asks for it: for the whole app, or for one route. Small and compressed bodies are left alone.
//   curl -I -H 'Accept-Encoding: br, gzip' localhost:8080/        # 200 and content-encoding: br and vary: Accept-Encoding
//   curl -I -H 'Accept-Encoding: br;q=0, gzip' localhost:8080/    # content-encoding: gzip
//   curl -i -H 'Accept-Encoding: gzip' localhost:8080/small       # content-length: 5
//   curl -i localhost:8080/small                                  # small
import { App, Compression, Response, Route, Server } from "effect-web"

const large = Response.text("All work and no play makes Jack a dull boy.\n".repeat(200))

export const app = App.make({
  large: Route.get("/", large),
  small: Route.get("/small", Response.text("small"))
}).pipe(App.use(Compression.make({ minSize: "512 B" })))

if (import.meta.main) Server.run(app)
