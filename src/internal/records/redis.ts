/**
 * Records in Redis: each is one string, its version and its value with a line feed between, that expires by Redis' own clock.
 *
 * ```ts
 * const store = make({ prefix: "app:record:" })
 * ```
 *
 * @spec https://redis.io/docs/latest/develop/programmability/lua-api/
 */
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import type { RecordStore, RedisOptions } from "../../RecordStore.ts"
import { milliseconds } from "./expiry.ts"
import { RecordStoreError } from "./failure.ts"
import * as Version from "./version.ts"

/** Makes a store. */
export const make = ({ prefix = "effect-web:record:" }: RedisOptions): RecordStore<RecordStoreError, Redis.Redis> => ({
  get: (key) => run((redis) => Effect.map(redis.send<unknown>("GET", prefix + key), (found) => parse(found))),
  put: Effect.fnUntraced(function* (key, value, { expected = "", expiresIn }) {
    const version = yield* Version.next
    const written = yield* run((redis) =>
      redis.eval(put)(prefix + key, expected, version, value, milliseconds(expiresIn))
    )
    return written === 1 ? version : undefined
  }),
  remove: (key, { expected } = {}) =>
    run((redis) =>
      Effect.asVoid(
        expected === undefined ? redis.send("DEL", prefix + key) : redis.eval(remove)(prefix + key, expected)
      )
    )
})

// A client of Redis may wait for its connection as long as that is away.
const run = <A>(f: (redis: Redis.Redis["Service"]) => Effect.Effect<A, Redis.RedisError>) =>
  Effect.mapError(Effect.timeout(Redis.Redis.use(f), "5 seconds"), (cause) => new RecordStoreError({ cause }))

const parse = (found: unknown) => {
  if (typeof found !== "string") return undefined
  const at = found.indexOf("\n")
  return { value: found.slice(at + 1), version: found.slice(0, at) }
}

// A command that is sent again, as when the connection broke before the reply came, finds its own version and has succeeded.
const put = Redis.script(
  (key: string, expected: string, version: string, value: string, expiry: number) => [
    ...[key, expected, version, value],
    expiry
  ],
  {
    numberOfKeys: 1,
    lua: `local found = redis.call('GET', KEYS[1])
local current = found and found:match('^[^\\n]*') or ''
if current == ARGV[2] then return 1 end
if current ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2] .. '\\n' .. ARGV[3], 'PX', ARGV[4])
return 1`
  }
).withReturnType<number>()

const remove = Redis.script((key: string, expected: string) => [key, expected], {
  numberOfKeys: 1,
  lua: `local found = redis.call('GET', KEYS[1])
if found and found:match('^[^\\n]*') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0`
}).withReturnType<number>()
