/**
 * Saves a session at the end of its request, if it has changed.
 *
 * ```ts
 * const cookie = yield* commit(live) // what to set, "expire", or undefined: nothing
 * ```
 *
 * Where another request was faster, the changes are applied again to what it has saved. A session that has ended meanwhile stays
 * ended. What has not changed is saved when a quarter of its idle time has passed, so that it lives on.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Found, newId } from "./keeper.ts"
import type { Live, Plan } from "./live.ts"
import type { State } from "./state.ts"
import type { Turns } from "./turns.ts"

type Restore = Parameters<Turns["take"]>[1]

/** What becomes of the cookie. */
export type Cookie = "expire" | { readonly value: string; readonly maxAge: Duration.Duration | undefined }

/** Whether there may be something to save, or to take away. */
export const isDue = ({ base, changes, context, dropped, ended, plan, state }: Live): boolean => {
  if (changes.length > 0 || dropped.length > 0 || ended) return true
  if (base?.found === undefined || state === undefined) return false
  return isIdle(state, plan, Context.get(context, Clock.Clock).currentTimeMillisUnsafe())
}

// A quarter of its time has passed.
const isIdle = (state: State, { limits }: Plan, now: number): boolean => now - state.touched >= limits(state).idle / 4

/** Saves what has changed; to be called where nothing interrupts. */
export const commit = Effect.fnUntraced(function* (live: Live, restore: Restore) {
  const now = yield* Clock.currentTimeMillis
  const { endings, keeper, turns } = live.plan
  for (const found of live.dropped) {
    yield* live.stored(keeper.remove(found, true))
    endings.tell(found.id)
  }
  const found = live.base?.found
  const saved = yield* found === undefined || keeper.inCookie
    ? save(live, now, false)
    : turns.take(found.id, restore, (hasWaited) => save(live, now, hasWaited))
  return saved ?? (live.ended ? "expire" : undefined)
})

const save = Effect.fnUntraced(function* (
  live: Live,
  now: number,
  isStale: boolean
): Effect.fn.Return<Cookie | undefined> {
  const { codec, endings, keeper } = live.plan
  if (isStale && !(yield* again(live))) return undefined
  for (let attempt = 0; attempt < attempts; attempt++) {
    const { base, state } = live
    if (base === undefined || state === undefined) return undefined
    if (base.found === undefined) return yield* begin(live, state, now)
    if (live.changes.length === 0 || (!live.rotates && isSame(live, base.found, state))) {
      return yield* touch(live, base.found, state, now)
    }
    const isEmpty = codec.isEmpty(state)
    if (live.rotates || isEmpty) {
      if (yield* live.stored(keeper.move(base.found))) {
        endings.tell(base.found.id)
        if (!isEmpty) return yield* put(live, live.id ?? newId(), undefined, state, now)
        live.id = undefined
        live.base = { ...base, found: undefined }
        return "expire"
      }
    } else {
      const cookie = yield* put(live, base.found.id, base.found, state, now)
      if (cookie !== undefined) return keeper.inCookie ? cookie : undefined
    }
    if (!(yield* again(live))) return undefined
  }
  return yield* Effect.die(new Error(`A session could not be saved: its store refused ${attempts} times`))
})

const attempts = 100

// Nothing was there: a session begins when there is something to keep.
const begin = (live: Live, state: State, now: number): Effect.Effect<Cookie | undefined> => {
  if (live.changes.length === 0 || live.plan.codec.isEmpty(state)) {
    // Nothing is to be tied to an id that nobody gets
    live.id = undefined
    return Effect.succeed(undefined)
  }
  if (live.base?.moved === true && !live.rotates) {
    return Effect.as(Effect.logDebug("A session was not saved: it goes on under another id"), undefined)
  }
  return put(live, live.id ?? newId(), undefined, state, now)
}

const put = Effect.fnUntraced(function* (
  live: Live,
  id: string,
  found: Found | undefined,
  state: State,
  now: number
): Effect.fn.Return<Cookie | undefined> {
  const { codec, jar, keeper, limits } = live.plan
  const { idle, whole } = limits(state)
  const left = Math.max(1, state.created + whole - now)
  const expiresIn = Duration.millis(Math.min(idle, left))
  const text = codec.encode({ ...state, touched: now })
  const value = yield* live.stored(keeper.save(id, text, found, expiresIn))
  const maxAge = jar.persistent || state.remember ? Duration.millis(left) : undefined
  return value === undefined ? undefined : { value, maxAge }
})

// Nothing was changed, or back to what it was.
const isSame = ({ base, plan }: Live, { text }: Found, state: State): boolean =>
  plan.codec.encode({ ...state, touched: base?.state.touched ?? 0 }) === text

const touch = Effect.fnUntraced(function* (live: Live, found: Found, state: State, now: number) {
  const { keeper } = live.plan
  if (!isIdle(state, live.plan, now)) return undefined
  // Who was faster has touched it too.
  const cookie = yield* put(live, found.id, found, state, now)
  return keeper.inCookie ? cookie : undefined
})

// Takes what another request has saved, and applies the changes to it; false when there is nothing left to change.
const again = Effect.fnUntraced(function* (live: Live) {
  const read = yield* live.read
  if (read.found === undefined && !live.rotates) {
    yield* Effect.logDebug("A session was not saved: it has ended meanwhile")
    return false
  }
  live.base = read
  live.state = live.changes.reduce((state, change) => change(state), read.state)
  return true
})
