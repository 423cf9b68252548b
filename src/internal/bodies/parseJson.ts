/**
 * Parses JSON, and says where a text stops being JSON.
 *
 * ```ts
 * parseJson('{"a": tru}') // fails with BadRequest "Invalid JSON at position 6 (line 1, column 7)"
 * ```
 *
 * @spec RFC 8259
 */
import * as Exit from "effect/Exit"
import * as HttpError from "../../HttpError.ts"
import * as JsonFault from "./jsonFault.ts"

/** The value of a text. */
export const parseJson = (text: string): Exit.Exit<unknown, HttpError.BadRequest> => {
  try {
    return Exit.succeed(JSON.parse(text))
  } catch {
    const at = JsonFault.find(text)
    const line = text.slice(0, at).split("\n").length
    const column = at - text.lastIndexOf("\n", at - 1)
    const place = `position ${at} (line ${line}, column ${column})`
    const what =
      text === ""
        ? "The body is empty"
        : at < text.length
          ? `Invalid JSON at ${place}`
          : `The JSON ends too early, at ${place}`
    return Exit.fail(new HttpError.BadRequest({ text: what }))
  }
}
