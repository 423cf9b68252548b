/**
 * Routers from the text of their routes: "GET /users/{id}", several methods with commas, "*" for any; "/..." at the end for a
 * boundary, "/***" for a subtree.
 */
import * as Pattern from "../src/http/Pattern.ts"
import * as Router from "../src/Router.ts"

const entry = (text: string): Router.Entry<string> => {
  const [, methods = "", path = ""] = /^(\S+) (.*)$/.exec(text) ?? []
  const end = /\/(?:\.\.\.|\*\*\*)$/.exec(path)?.[0]
  return {
    name: text,
    methods: methods === "*" ? undefined : methods.split(","),
    pattern: Pattern.parse(path.slice(0, path.length - (end?.length ?? 0))),
    ...(end === "/..." && { boundary: true }),
    ...(end === "/***" && { subtree: true }),
    value: text
  }
}

/** The router of the routes; each has its text for its name and its value. */
export const router = (...routes: ReadonlyArray<string>): Router.Router<string> => Router.make(routes.map(entry))
