/**
 * The rooms of a server: who is in them on this process and elsewhere, and how a frame reaches all of them.
 *
 * ```ts
 * const group = yield* hub.open("lobby") // for as long as the scope
 * yield* hub.say("lobby", '{"text":"hello"}', undefined, () => message)
 * ```
 *
 * What other processes have to be told goes over a bus; in memory there is nobody to tell.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { notShared } from "../lifecycle/neighbours.ts"
import type { Data, Prepare, Prepared } from "../webSocket/wire.ts"

/** Who is in a room. */
export interface Member<out Presence = Schema.Json> {
  /** Unique among all members of all rooms. */
  readonly id: string
  readonly presence: Presence
}

/** A member on this process. */
export interface Seat extends Member {
  /** Takes a frame without waiting, whatever that means for a slow one; true where it will not take another. */
  readonly take: (frame: Data | Prepared, message: () => unknown) => boolean
  /** The message of a frame that another process has encoded. */
  readonly decode: (data: Data) => unknown
}

/** A room, as far as this process knows it. */
export class Group {
  readonly name: string
  readonly seats = new Map<string, Seat>()
  /** The members on other processes. */
  readonly others = new Map<string, Schema.Json>()
  readonly watchers = new Set<() => void>()
  prepare: Prepare | undefined
  /** How many members and watchers it is kept for. */
  uses = 0
  /** Done when the members elsewhere are known. */
  readonly known = Deferred.makeUnsafe<void>()
  private list: ReadonlyArray<Member> | undefined

  constructor(name: string) {
    this.name = name
  }

  /** All members; the same array until something changes. */
  get members(): ReadonlyArray<Member> {
    this.list ??= [
      ...Array.from(this.seats.values(), ({ id, presence }) => ({ id, presence })),
      ...Array.from(this.others, ([id, presence]) => ({ id, presence }))
    ]
    return this.list
  }

  changed(): void {
    this.list = undefined
    for (const wake of this.watchers) wake()
  }

  /** Hands a frame to the members of this process; it is made once for all. True where one of them has become full by it. */
  deliver(data: Data, except: string | undefined, message: () => unknown): boolean {
    const frame = this.seats.size > 1 && this.prepare !== undefined ? this.prepare(data) : data
    let isFull = false
    for (const seat of this.seats.values()) if (seat.id !== except && seat.take(frame, message)) isFull = true
    return isFull
  }
}

/** How other processes are told. Nothing of it fails, or waits for long. */
export interface Bus {
  /** What the ids of this process begin with. */
  readonly prefix: string
  /** Begins to follow a room; the members elsewhere are known when it returns. */
  readonly open: (group: Group) => Effect.Effect<void>
  readonly close: (group: Group) => Effect.Effect<void>
  readonly put: (group: Group, member: Member) => Effect.Effect<void>
  readonly drop: (group: Group, id: string) => Effect.Effect<void>
  readonly say: (name: string, data: Data, except: string | undefined) => Effect.Effect<void>
}

/** All rooms of a server. */
export interface Hub {
  readonly nextId: () => string
  /** A room, kept for as long as the scope is open. */
  readonly open: (name: string) => Effect.Effect<Group, never, Scope.Scope>
  /** Takes a seat, or changes what its member shows. */
  readonly put: (group: Group, seat: Seat) => Effect.Effect<void>
  readonly drop: (group: Group, id: string) => Effect.Effect<void>
  /** Sends a frame to all members but one. */
  readonly say: (name: string, data: Data, except: string | undefined, message: () => unknown) => Effect.Effect<void>
}

/** Makes a hub. */
export const make = (bus: Bus): Hub => {
  const groups = new Map<string, Group>()
  let ids = 0

  const enter = (name: string): Effect.Effect<Group> =>
    Effect.suspend(() => {
      const group = groups.get(name) ?? new Group(name)
      groups.set(name, group)
      group.uses++
      const known = Deferred.await(group.known)
      if (group.uses > 1) return Effect.as(known, group)
      return Effect.as(Effect.andThen(bus.open(group), Deferred.succeed(group.known, undefined)), group)
    })

  const exit = (group: Group): Effect.Effect<void> =>
    Effect.suspend(() => {
      group.uses--
      if (group.uses > 0) return Effect.void
      groups.delete(group.name)
      return bus.close(group)
    })

  return {
    nextId: () => `${bus.prefix}${++ids}`,
    open: (name) => Effect.acquireRelease(enter(name), exit),
    put: (group, seat) =>
      Effect.suspend(() => {
        group.seats.set(seat.id, seat)
        group.changed()
        return bus.put(group, seat)
      }),
    drop: (group, id) =>
      Effect.suspend(() => {
        group.seats.delete(id)
        group.changed()
        return bus.drop(group, id)
      }),
    say: (name, data, except, message) =>
      Effect.suspend(() => {
        const isFull = groups.get(name)?.deliver(data, except, message) ?? false
        const said = bus.say(name, data, except)
        return isFull ? Effect.andThen(said, turn) : said
      })
  }
}

// A program that sends much at once would find the buffers of the fastest full: let them be emptied.
const turn = Effect.yieldNow

const nobody = () => Effect.void

const alone = () => notShared("Rooms are in memory", "give Room.layerRedis to the server")

/** A hub of one process. Several workers would each have their own, and say so. */
export const memory = (): Hub =>
  make({ prefix: "", open: alone, close: nobody, put: nobody, drop: nobody, say: nobody })

const memories = new WeakMap<object, Hub>()

/** The hub of a server in memory, by what its sites have in common. */
export const memoryOf = (server: object): Hub => {
  const hub = memories.get(server) ?? memory()
  memories.set(server, hub)
  return hub
}

/** The hub that rooms are in: that of the server, unless a layer gives another. Undefined outside of servers. */
export const RoomHub = Context.Reference<Hub | undefined>("effect-web/RoomHub", { defaultValue: () => undefined })
