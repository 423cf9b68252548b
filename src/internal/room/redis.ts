/**
 * Rooms across processes, through Redis.
 *
 * ```ts
 * const hub = Hub.make(yield* RoomRedis.make({ prefix: "app:room" }))
 * ```
 *
 * Each process has a channel of its own and one connection that listens to it. The members of the rooms that it follows are copied to
 * it; what it misses it finds out by the count of changes, at the next change in the room or the next heartbeat.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Redis from "effect/persistence/Redis"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { RedisOptions } from "../../Room.ts"
import type { Data } from "../webSocket/wire.ts"
import * as Connection from "./connection.ts"
import type { Bus } from "./hub.ts"
import { type Fields, Mirror } from "./mirror.ts"
import type { Command } from "./script.ts"

type Mirrors = Map<string, Mirror>

/** Begins to listen, for as long as the scope is open. Fails when Redis cannot be reached now; later failures are warnings. */
export const make = Effect.fnUntraced(function* (
  options: RedisOptions
): Effect.fn.Return<Bus, Redis.RedisError, Redis.Redis | Scope.Scope> {
  const { expiry = "15 seconds", prefix = "effect-web:room" } = options
  const milliseconds = Math.ceil(Duration.toMillis(expiry))
  const node = [yield* Random.nextInt, yield* Random.nextInt].map((n) => Math.abs(n).toString(36)).join("")
  const connection = yield* Connection.make({ prefix, node, expiry: milliseconds })
  const mirrors: Mirrors = new Map()
  const sync = (mirror: Mirror) => synchronize(connection, mirror, node)

  yield* listen(`${prefix}:node:${node}`, connection, (message) => receive(mirrors, message, node, sync))
  const beats = Effect.forever(
    Effect.andThen(Effect.sleep(Duration.millis(milliseconds / 3)), beat(connection, mirrors, sync))
  )
  yield* Effect.forkScoped(beats)
  return bus(connection, mirrors, `${node}/`, sync)
})

const bus = (
  { run }: Connection.Connection,
  mirrors: Mirrors,
  prefix: string,
  sync: (mirror: Mirror) => Effect.Effect<void>
): Bus => {
  // What Redis was not told it is told when the copy is next compared.
  const tell = (command: Command): Effect.Effect<void> =>
    Effect.map(run(command), (reply) => {
      if (reply === undefined) mirrors.get(command.room)?.lost()
    })
  return {
    prefix,
    open: (group) =>
      Effect.suspend(() => {
        const mirror = new Mirror(group)
        mirrors.set(mirror.room, mirror)
        return sync(mirror)
      }),
    close: ({ name }) =>
      Effect.suspend(() => {
        const room = JSON.stringify(name)
        mirrors.delete(room)
        return run({ op: "close", room })
      }),
    put: ({ name }, { id, presence }) =>
      tell({ op: "put", room: JSON.stringify(name), id, value: JSON.stringify(presence) }),
    drop: ({ name }, id) => tell({ op: "drop", room: JSON.stringify(name), id }),
    say: (name, data, except = "") => run({ op: "say", room: JSON.stringify(name), id: except, ...toFrame(data) })
  }
}

// Reads everything, and mends what is wrong in it about this process; again, when more was told meanwhile.
const synchronize = ({ run }: Connection.Connection, mirror: Mirror, node: string): Effect.Effect<void> => {
  const { room } = mirror
  const round: Effect.Effect<void> = Effect.gen(function* () {
    const fields = yield* run({ op: "open", room })
    if (fields === undefined) return mirror.lost()
    for (const { id, value } of mirror.fill(fields as Fields, node)) {
      yield* run(value === undefined ? { op: "drop", room, id } : { op: "put", room, id, value })
    }
    if (mirror.isBehind) yield* round
  })
  const over = Effect.sync(() => mirror.end())
  return Effect.suspend(() => (mirror.begin() ? Effect.ensuring(round, over) : Effect.void))
}

// Gives a sign of life in each room, and sees whether the copies are right.
const beat = Effect.fnUntraced(function* (
  { revive, run }: Connection.Connection,
  mirrors: Mirrors,
  sync: (mirror: Mirror) => Effect.Effect<void>
) {
  if (!(yield* revive)) return
  const one = Effect.fnUntraced(function* (mirror: Mirror) {
    const version = yield* run({ op: "beat", room: mirror.room })
    if (version !== undefined && Number(version) !== mirror.version) yield* sync(mirror)
  })
  yield* Effect.forEach([...mirrors.values()], one, { concurrency: 16, discard: true })
})

// Hears from when it returns.
const listen = Effect.fnUntraced(function* (
  channel: string,
  { failed }: Connection.Connection,
  f: (message: string) => Effect.Effect<void, never, Scope.Scope>
) {
  const redis = yield* Redis.Redis
  const first = yield* Deferred.make<void>()
  const listening = Effect.gen(function* () {
    const messages = yield* redis.subscribe(channel)
    yield* Deferred.succeed(first, undefined)
    const some = Effect.flatMap(Queue.takeAll(messages), (all) =>
      Effect.forEach(all, ({ message }) => f(message), { discard: true })
    )
    return yield* Effect.forever(some)
  })
  const again = Effect.retry(Effect.tapError(Effect.scoped(listening), failed), Schedule.spaced(Duration.seconds(1)))
  yield* Effect.forkScoped(again)
  yield* Deferred.await(first)
})

const receive = (
  mirrors: Mirrors,
  message: string,
  node: string,
  sync: (mirror: Mirror) => Effect.Effect<void>
): Effect.Effect<void, never, Scope.Scope> => {
  const [kind, version, room, id, value] = lines(message)
  const mirror = mirrors.get(room)
  if (mirror === undefined) return Effect.void
  if (kind === "t" || kind === "b") {
    const handed = Effect.sync(() => mirror.deliver(fromFrame(kind, value), id === "" ? undefined : id))
    // The other messages are still to be heard.
    return Effect.catchDefect(handed, (cause) => Effect.logError("A message could not be handed to a room", cause))
  }
  const isKnown = mirror.change(Number(version), id, kind === "+" ? value : undefined, node)
  return isKnown ? Effect.void : Effect.asVoid(Effect.forkScoped(sync(mirror)))
}

// The value may have lines of its own.
const lines = (message: string): readonly [kind: string, version: string, room: string, id: string, value: string] => {
  const [, kind = "", version = "", room = "", id = "", value = ""] =
    /^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$/s.exec(message) ?? []
  return [kind, version, room, id, value]
}

const toFrame = (data: Data): { readonly kind: "t" | "b"; readonly value: string } =>
  typeof data === "string" ? { kind: "t", value: data } : { kind: "b", value: Base64.encode(data) }

const fromFrame = (kind: "t" | "b", value: string): Data =>
  kind === "t" ? value : Result.getOrElse(Base64.decode(value), () => new Uint8Array())
