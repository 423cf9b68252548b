/**
 * A real OpenID provider in a process of its own, `oidc-provider` on a free port of this machine: anybody may log in by any password. Its
 * client "app" comes back to http://app.test/auth/callback, and "example" is the one of examples/43-oidc-login.ts.
 */
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"

/** The client that the provider knows. */
export const client = { clientId: "app", clientSecret: Redacted.make("app-secret: %&+") }

/** Starts the provider, and gives its URL; it ends with the scope. */
export const start: Effect.Effect<string, never, Scope.Scope> = Effect.gen(function* () {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn(process.execPath, [fileURLToPath(import.meta.url)], {
        env: { ...process.env, PORT: "0" },
        stdio: ["ignore", "pipe", "ignore"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  return yield* Effect.promise(async () => {
    let output = ""
    while (!output.includes("\n")) output += String((await once(child.stdout, "data"))[0])
    return output.trim()
  })
})

/** A browser at the provider: it keeps the provider's cookies, logs in and consents. */
export class Browser {
  private readonly cookies = new Map<string, string>()

  private async send(url: string, form?: Readonly<Record<string, string>>): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ")
    const response = await fetch(url, {
      redirect: "manual",
      method: form === undefined ? "GET" : "POST",
      headers: { cookie },
      ...(form === undefined ? undefined : { body: new URLSearchParams(form) })
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/expires=Thu, 01 Jan 1970/.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return response
  }

  /** Goes where it is sent, up to the first URL that is not the provider's: the way back. */
  visit(start: string, name = "ada"): Effect.Effect<URL> {
    return Effect.promise(async () => {
      const { origin } = new URL(start)
      let response = await this.send(start)
      for (let steps = 0; steps < 12; steps++) {
        const location = response.headers.get("location")
        if (location !== null) {
          const next = new URL(location, origin)
          if (next.origin !== origin) return next
          response = await this.send(next.href)
          continue
        }
        const page = await response.text()
        const [, action] = /<form [^>]*action="([^"]+)"/.exec(page) ?? []
        if (action === undefined) throw new Error(`The provider has no form: ${response.status} ${page}`)
        const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1] ?? ""
        response = await this.send(new URL(action, origin).href, { prompt, login: name, password: "any" })
      }
      throw new Error("The provider does not come to an end")
    })
  }
}

const main = async (): Promise<void> => {
  // @ts-expect-error: the package has no types
  const { Provider } = await import("oidc-provider")
  const server = Http.createServer().listen(Number(process.env.PORT ?? 0), "127.0.0.1")
  await once(server, "listening")
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { clientId, clientSecret } = client
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: Redacted.value(clientSecret),
        redirect_uris: ["http://app.test/auth/callback"],
        post_logout_redirect_uris: ["http://app.test/"]
      },
      {
        client_id: "example",
        client_secret: "example-secret",
        redirect_uris: ["http://localhost:8080/auth/callback", "http://app.test/auth/callback"]
      }
    ],
    claims: { openid: ["sub"], email: ["email"] },
    findAccount: (_: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@id.test` })
    })
  })
  server.on("request", provider.callback())
  process.stdout.write(`${issuer}\n`)
}

if (import.meta.main) await main()
