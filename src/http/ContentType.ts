/**
 * The content type of a file by its name.
 *
 * ```ts
 * ContentType.forName("index.html") // "text/html; charset=utf-8"
 * ContentType.forName("photo.JPG") // "image/jpeg"
 * ContentType.forName("LICENSE") // "application/octet-stream"
 * ```
 *
 * The types are those of the `mime` package: the IANA registry and what is usual beside it.
 *
 * @source aiohttp.web_fileresponse.CONTENT_TYPES
 * @spec RFC 9110 §8.3
 */
import mime from "mime"

/** The type of a name; that of `types` by extension ("glb": lower case, no dot) wins. What is not known is bytes. */
export const forName = (name: string, types: Readonly<Record<string, string>> = {}): string => {
  const extension = /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase()
  if (extension === undefined) return "application/octet-stream"
  if (Object.hasOwn(types, extension)) return types[extension]!
  const type = mime.getType(extension) ?? "application/octet-stream"
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type
}
