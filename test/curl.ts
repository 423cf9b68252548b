/**
 * The curl commands in the comments of an example or a document, run by a client, and what they say that comes back.
 *
 *     curl -i localhost:8080/old   # 302 and location: /new
 */
import * as Fs from "node:fs"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Cookies from "effect/http/Cookies"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpMethod from "effect/http/HttpMethod"
import * as Ref from "effect/Ref"
import type * as Testing from "../src/testing/Testing.ts"
import * as Sources from "./sources.ts"

/** A command, its arguments, and the texts that its output has. */
export interface Curl {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly wanted: ReadonlyArray<string>
}

const command = /^(?:\/\/)?\s*\$?\s*(curl (?:'[^']*'|[^'#\n]|(?<! )#)*?)(?:\s+# (.*))?$/gm

/** The commands of a text, in its order. */
export const parse = (text: string): ReadonlyArray<Curl> =>
  [...text.matchAll(command)].map(([, command = "", wanted]) => ({
    command,
    args: [...command.matchAll(/'([^']*)'|(\S+)/g)].slice(1).map(([, quoted, bare]) => quoted ?? bare!),
    wanted: wanted?.split(" and ").map((each) => each.trim()) ?? []
  }))

interface Sent {
  readonly method: string | undefined
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  /** Whether the head is shown. */
  readonly include: boolean
  /** The file that cookies come from and go into. */
  readonly jar: string | undefined
}

type Option = (sent: Sent, value: string) => Partial<Sent>

const withHeader = (sent: Sent, name: string, value: string) => ({ headers: { [name]: value, ...sent.headers } })

const flags: Readonly<Record<string, Option>> = {
  "-i": () => ({ include: true }),
  "-I": () => ({ include: true, method: "HEAD" }),
  "-N": () => ({})
}
const options: Readonly<Record<string, Option>> = {
  "-X": (_, method) => ({ method }),
  "-H": (sent, line) => {
    const at = line.indexOf(":")
    return { headers: { ...sent.headers, [line.slice(0, at).toLowerCase()]: line.slice(at + 1).trim() } }
  },
  "-b": (sent, cookies) => (cookies.includes("=") ? withHeader(sent, "cookie", cookies) : { jar: cookies }),
  "-c": (_, jar) => ({ jar }),
  // Files are those of the repository.
  "-F": (sent, field) => {
    const [, name, at, value = ""] = /^([^=]+)=(@?)(.*)$/s.exec(field) ?? []
    const [file, content] =
      at === "@"
        ? [`; filename="${value}"\r\nContent-Type: text/plain`, Fs.readFileSync(Sources.root + value, "utf8")]
        : ["", value]
    const part = `--curl\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${content}\r\n--curl--\r\n`
    return {
      body: `${(sent.body ?? "").replace(/--curl--\r\n$/, "")}${part}`,
      ...withHeader(sent, "content-type", "multipart/form-data; boundary=curl")
    }
  },
  "-d": (sent, body) => ({ body, ...withHeader(sent, "content-type", "application/x-www-form-urlencoded") }),
  "--json": (sent, body) => ({
    body,
    headers: { "content-type": "application/json", ...sent.headers, accept: "application/json" }
  })
}

const read = ({ args, command }: Curl): Sent => {
  let sent: Sent = {
    method: undefined,
    url: "",
    headers: { accept: "*/*" },
    body: undefined,
    include: false,
    jar: undefined
  }
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!
    const [flag, option] = [flags[arg], options[arg]]
    if (flag !== undefined) sent = { ...sent, ...flag(sent, "") }
    else if (option !== undefined) sent = { ...sent, ...option(sent, args[++at]!) }
    else if (arg.startsWith("-")) throw new Error(`${command}: ${arg} is not known here`)
    else sent = { ...sent, url: arg }
  }
  return sent
}

// The files of cookies of each client.
const files = new WeakMap<Testing.Client, Map<string, ReadonlyArray<Cookies.Cookie>>>()

const jarsOf = (client: Testing.Client) => {
  const jars = files.get(client) ?? new Map<string, ReadonlyArray<Cookies.Cookie>>()
  files.set(client, jars)
  return jars
}

/** Runs the command against the client's app, and asserts that its output is the one that is wanted. */
export const run = Effect.fnUntraced(function* (client: Testing.Client, curl: Curl) {
  const { body, headers, include, jar, method = body === undefined ? "GET" : "POST", url } = read(curl)
  const target = url.replace(/^localhost:8080/, client.url)
  // The methods of the type are those that Effect names; curl sends any.
  const request = HttpClientRequest.make(method as HttpMethod.HttpMethod)(target, {
    headers: url.startsWith("localhost:8080") ? { host: "localhost:8080", ...headers } : headers
  })
  yield* Ref.set(client.cookies, jar === undefined ? [] : (jarsOf(client).get(jar) ?? []))
  const { "content-type": contentType } = headers
  const response = yield* client.execute(
    body === undefined ? request : HttpClientRequest.bodyText(request, body, contentType)
  )
  if (jar !== undefined) jarsOf(client).set(jar, yield* Ref.get(client.cookies))
  const cookies = Object.values(response.cookies.cookies).map((cookie) => `set-cookie: ${cookie.name}=${cookie.value}`)
  const head = [response.status, ...Object.entries(response.headers).map(([name, value]) => `${name}: ${value}`)]
  const text = yield* response.text
  const output = include ? [...head, ...cookies, "", text].join("\n") : text
  for (const each of curl.wanted) assert.include(output, each, curl.command)
})
