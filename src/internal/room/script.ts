/**
 * What happens to a room in Redis, each in one step: one script, loaded once, so that commands keep their order.
 *
 * ```ts
 * const version = yield* redis.eval(script)({ prefix: "room", node: "n1", expiry: 15_000 }, { op: "beat", room: '"lobby"' })
 * ```
 *
 * `KEYS[1]` is a sorted set of the processes that follow the room, by the time when they are given up. `KEYS[2]` is a hash of the
 * members, from ids that begin with that of their process and "/"; its field "" counts the changes, so that who has missed one can see
 * it. Processes listen on a channel of their own, and are told what concerns them only.
 *
 * @spec https://redis.io/docs/latest/develop/programmability/lua-api/
 */
import * as Redis from "effect/persistence/Redis"

/** What is done, with what. */
export interface Command {
  /**
   * - "open": follows the room, and reads its members, and the count of changes at ""
   * - "close": follows no more; who is the last leaves nothing behind
   * - "put", "drop": a member that comes or changes, or goes
   * - "say": a text or bytes for the other processes
   * - "beat": gives a sign of life, gives up who gave none, and reads the count of changes
   * - "none": nothing; to have the script loaded
   */
  readonly op: "open" | "close" | "put" | "drop" | "say" | "beat" | "none"
  /** The name of the room, as JSON. */
  readonly room: string
  readonly id?: string
  /** What the member shows, or the frame. */
  readonly value?: string
  /** What the message begins with: "t" for text, "b" for bytes in base64. */
  readonly kind?: "t" | "b"
}

/** What is the same for all commands of a process. */
export interface Process {
  readonly prefix: string
  readonly node: string
  /** In milliseconds. */
  readonly expiry: number
}

const params = ({ expiry, node, prefix }: Process, { id = "", kind, op, room, value = "" }: Command) => {
  const key = `${prefix}:{${room}}`
  return [`${key}:nodes`, `${key}:members`, op, node, expiry, `${prefix}:node:`, room, id, value, kind ?? ""]
}

/** A message is its kind ("+", "-", "t" or "b"), the count of changes, the room, the id of a member, and the value, by lines. */
export const script = Redis.script(params, {
  numberOfKeys: 2,
  lua: `local nodes, members = KEYS[1], KEYS[2]
local op, me, expiry, channel, room, id, value, kind = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function tell(kind, count, id, value, skipped)
  local message = table.concat({ kind, count, room, id, value }, '\\n')
  for _, node in ipairs(redis.call('ZRANGE', nodes, 0, -1)) do
    if node ~= skipped then redis.call('PUBLISH', channel .. node, message) end
  end
end
local function change(kind, id, value)
  tell(kind, redis.call('HINCRBY', members, '', 1), id, value)
end
local function live()
  redis.call('ZADD', nodes, now + expiry, me)
  for _, dead in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', '(' .. now)) do
    redis.call('ZREM', nodes, dead)
    for _, id in ipairs(redis.call('HKEYS', members)) do
      if id:sub(1, #dead + 1) == dead .. '/' then
        redis.call('HDEL', members, id)
        change('-', id, '')
      end
    end
  end
  redis.call('PEXPIRE', nodes, expiry * 2)
  redis.call('PEXPIRE', members, expiry * 2)
end

if op == 'say' then
  tell(kind, '', id, value, me)
elseif op == 'put' then
  live()
  redis.call('HSET', members, id, value)
  change('+', id, value)
elseif op == 'drop' then
  if redis.call('HDEL', members, id) == 1 then change('-', id, '') end
elseif op == 'open' then
  live()
  return redis.call('HGETALL', members)
elseif op == 'close' then
  redis.call('ZREM', nodes, me)
  if redis.call('ZCARD', nodes) == 0 then redis.call('DEL', nodes, members) end
elseif op == 'beat' then
  live()
  return redis.call('HGET', members, '') or '0'
end`
}).withReturnType<unknown>()
