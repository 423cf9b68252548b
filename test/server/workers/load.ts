/**
 * Clients that ask without pause and forgive nothing: whatever is not the whole right answer is a failure.
 */
import * as Http from "node:http"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { get } from "./supervised.ts"

/** What the clients have seen. */
export interface Seen {
  readonly counts: Record<string, number>
  readonly failures: Array<string>
  /** Event streams that ended and were resumed, and sockets that were told 1001. */
  resumed: number
  told: number
}

/** Clients of a program of `app.ts`, each kind under its own name. */
export const start = Effect.fnUntraced(function* (
  url: string
): Effect.fn.Return<Effect.Effect<Seen>, never, Scope.Scope> {
  const seen: Seen = { counts: {}, failures: [], resumed: 0, told: 0 }
  const keepAlive = yield* Effect.acquireRelease(
    Effect.sync(() => new Http.Agent({ keepAlive: true })),
    (agent) => Effect.sync(() => agent.destroy())
  )
  const isOver = { now: false }
  const again = (name: string, isRight: (answer: string) => boolean, one: Effect.Effect<string, Error>) =>
    Effect.gen(function* () {
      while (!isOver.now) {
        const answer = yield* Effect.catch(one, (error) => Effect.succeed(String(error)))
        seen.counts[name] = (seen.counts[name] ?? 0) + 1
        if (!isRight(answer)) seen.failures.push(`${name}: ${answer.slice(0, 200)}`)
        // Leaves some of the machine to the others.
        yield* Effect.sleep("15 millis")
      }
    })
  const isPid = (answer: string) => /^200 \d+$/.test(answer)
  const isWhole = (answer: string) => answer === `200 ${"x".repeat(256 * 1024)}`
  const body = new Uint8Array(200_000)
  const upload = (options: Http.RequestOptions) => get(`${url}/upload`, { method: "POST", ...options }, body)
  const clients = [
    again("keep-alive", isPid, get(url, { agent: keepAlive })),
    again("new connection", isPid, get(url)),
    again("upload", (answer) => answer === "200 200000", upload({ agent: keepAlive })),
    again(
      "chunked upload",
      (answer) => answer === "200 200000",
      upload({ headers: { "transfer-encoding": "chunked" } })
    ),
    again("download", isWhole, get(`${url}/download`, { agent: keepAlive })),
    again("download, new connection", isWhole, get(`${url}/download`)),
    eventSource(url, seen, isOver),
    socket(url.replace("http", "ws"), seen, isOver)
  ]
  const all = yield* Effect.forkScoped(Effect.all(clients, { concurrency: "unbounded", discard: true }))
  return Effect.andThen(
    Effect.sync(() => {
      isOver.now = true
    }),
    Effect.as(Fiber.join(all), seen)
  )
})

interface Flag {
  now: boolean
}

const count = (seen: Seen, name: string): void => {
  seen.counts[name] = (seen.counts[name] ?? 0) + 1
}

// Reads events one after the other, and where the stream ends comes again from there.
const eventSource = (url: string, seen: Seen, isOver: Flag): Effect.Effect<void> =>
  Effect.gen(function* () {
    let last = 0
    while (!isOver.now) {
      const read = Effect.callback<string | undefined>((resume) => {
        const headers = { "last-event-id": String(last) }
        const request = Http.get(`${url}/events`, { agent: false, headers }, (response) => {
          let text = ""
          response.setEncoding("utf8").on("data", (chunk: string) => {
            const events = `${text}${chunk}`.split("\n\n")
            text = events.pop() ?? ""
            for (const event of events) {
              const id = /^id: (\d+)$/m.exec(event)?.[1]
              if (id === undefined) continue
              if (Number(id) !== last + 1) seen.failures.push(`events: ${id} after ${last}`)
              last = Number(id)
              count(seen, "event")
            }
            if (isOver.now) request.destroy()
          })
          response.on("end", () => resume(Effect.succeed(response.statusCode === 200 ? undefined : "no 200")))
          response.on("error", (error) => resume(Effect.succeed(isOver.now ? undefined : String(error))))
        })
        request.on("error", (error) => resume(Effect.succeed(isOver.now ? undefined : String(error))))
      })
      const failure = yield* read
      if (failure !== undefined) seen.failures.push(`events: ${failure}`)
      if (!isOver.now) seen.resumed++
    }
  })

// Says something and hears it, until it is told 1001; then it comes again.
const socket = (url: string, seen: Seen, isOver: Flag): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (!isOver.now) {
      const closed = Effect.callback<number>((resume) => {
        const socket = new WebSocket(`${url}/echo`)
        let said = 0
        let timer: NodeJS.Timeout | undefined
        const say = () => {
          if (isOver.now) socket.close(1000)
          else if (socket.readyState === WebSocket.OPEN) socket.send(String(++said))
        }
        socket.onopen = say
        socket.onmessage = ({ data }) => {
          if (data !== String(said)) seen.failures.push(`socket: ${data} in place of ${said}`)
          count(seen, "message")
          timer = setTimeout(say, 20)
        }
        socket.onclose = ({ code }) => {
          clearTimeout(timer)
          resume(Effect.succeed(code))
        }
      })
      const code = yield* closed
      if (code === 1001) seen.told++
      else if (code !== 1000 || !isOver.now) seen.failures.push(`socket: closed with ${code}`)
    }
  })
