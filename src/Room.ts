/**
 * Rooms: named groups of WebSockets, to send to all of them and to know who is there.
 *
 * ```ts
 * const chat = WebSocket.make({ receive: Text, send: Text }, Effect.fnUntraced(function* (socket) {
 *   const room = yield* Room.join("lobby", socket) // left when the handler ends
 *   yield* Stream.runForEach(socket.messages, (text) => room.broadcast(text))
 * }))
 * ```
 *
 * In memory a room is within one server. `Room.layerRedis`, given to `Server.layer`, makes it one across processes and machines.
 *
 * @source aiohttp.web documentation, "a set of WebSockets in the app"; unlike it: a slow member holds up nobody
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Redis from "effect/persistence/Redis"
import * as Queue from "effect/Queue"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Hub from "./internal/room/hub.ts"
import * as RoomRedis from "./internal/room/redis.ts"
import * as Codec from "./internal/webSocket/codec.ts"
import { CloseCode } from "./internal/webSocket/failure.ts"
import type { Socket } from "./internal/webSocket/socket.ts"
import { Acceptor, type Data } from "./internal/webSocket/wire.ts"

export type { Member } from "./internal/room/hub.ts"

/** How rooms use Redis. */
export interface RedisOptions {
  /** What the keys and channels begin with; "effect-web:room". Servers with the same share their rooms. */
  readonly prefix?: string
  /** The members of a process that gives no sign of life vanish after so long; 15 seconds. A third of it is its heartbeat. */
  readonly expiry?: Duration.Input
}

/** A room. All who send to one name have to speak the same messages, and show the same presence. */
export interface Room<in Message, out Presence = Schema.Json> {
  readonly name: string
  /**
   * Sends a message to all members, `except` one: encoded, and compressed, once. Waits for no member, whatever its buffer is like; to
   * each it comes in the order in which one fiber has sent.
   */
  readonly broadcast: (message: Message, options?: { readonly except?: Hub.Member<unknown> }) => Effect.Effect<void>
  /** Who is there, on all processes: those of this one in the order in which they came, then the others. */
  readonly members: Effect.Effect<ReadonlyArray<Hub.Member<Presence>>>
  /** How many are there, on all processes. */
  readonly count: Effect.Effect<number>
  /** Who is there, and again after each change; who takes them slowly gets the last. Never ends. */
  readonly changes: Stream.Stream<ReadonlyArray<Hub.Member<Presence>>>
}

/** A room with its member. */
export interface Joined<in Message, in out Presence> extends Room<Message, Presence> {
  readonly self: Hub.Member<Presence>
  /** Shows something else to the others. */
  readonly update: (presence: Presence) => Effect.Effect<void>
}

/** How a socket is in a room. */
export interface Options<out Presence> {
  /** What the others see of this member: JSON; null unless given. */
  readonly presence?: Presence
  /**
   * What happens to a member whose buffer is full when a message for all comes, where its endpoint's `slow` is "suspend": "disconnect"
   * closes its connection with 1008, "drop" leaves the message out for it. Any other `slow` of the endpoint holds here too.
   */
  readonly slow?: "disconnect" | "drop"
}

/** Joins a room for as long as the scope is open: for a handler, until it ends. The members elsewhere are known then. */
export const join = Effect.fnUntraced(function* <Receive, Message, Presence extends Schema.Json = null>(
  name: string,
  socket: Socket<Receive, Message>,
  options: Options<Presence> = {}
): Effect.fn.Return<Joined<Message, Presence>, never, Scope.Scope> {
  const hub = yield* theHub
  const group = yield* hub.open(name)
  group.prepare ??= (yield* Acceptor)?.prepare
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const id = hub.nextId()
  let isCut = false
  const seat = (presence: Schema.Json): Hub.Seat => ({
    id,
    presence,
    take: (frame, message) => {
      const isFull = isCut ? false : socket["~offer"](frame, message)
      if (isFull !== undefined || options.slow === "drop") return isFull === true
      isCut = true
      run(socket.close(CloseCode.policyViolation, "Messages are taken too slowly"))
      return false
    },
    decode: (data) => now(socket["~decodeSent"](data))
  })
  const { presence = null } = options
  yield* Effect.acquireRelease(hub.put(group, seat(presence)), () => hub.drop(group, id))
  return {
    ...room<Message, Presence>(hub, name, socket["~encode"], group),
    // What nobody gave is null, and so is the type.
    self: { id, presence: presence as Presence },
    update: (presence) => Effect.suspend(() => (group.seats.has(id) ? hub.put(group, seat(presence)) : Effect.void))
  }
})

/** A room from outside, to send to it from anywhere in the program: only its endpoint's schemas are needed. */
export const of = <Receive, Message>(
  name: string,
  endpoint: {
    readonly receive: Codec.Message<Receive>
    readonly send: Codec.Message<Message>
    readonly codec?: Codec.Codec
  }
): Effect.Effect<Room<Message>> =>
  Effect.map(theHub, (hub) => {
    const { encode } = Codec.compile(endpoint.codec ?? Codec.json, endpoint.receive, endpoint.send)
    return room(hub, name, encode, undefined)
  })

/** Rooms in memory that several servers, or a server and other parts of the program, have in common. */
export const layerMemory: Layer.Layer<never> = Layer.sync(Hub.RoomHub, Hub.memory)

/**
 * Rooms across processes and machines, for the server that this is provided to. Messages go, at most once, by way of Redis to each
 * process that has members of the room; members of a process that was killed vanish after `expiry`. While Redis cannot be reached rooms
 * go on within each process, with a warning in the log.
 */
export const layerRedis = (options: RedisOptions = {}): Layer.Layer<never, Redis.RedisError, Redis.Redis> =>
  Layer.effect(Hub.RoomHub, Effect.map(RoomRedis.make(options), Hub.make))

const theHub = Effect.flatMap(Hub.RoomHub, (hub) =>
  hub === undefined
    ? Effect.die(
        new Error("There are no rooms here: provide Room.layerMemory to the server and to this part of the program")
      )
    : Effect.succeed(hub)
)

const room = <Message, Presence>(
  hub: Hub.Hub,
  name: string,
  encode: (message: Message) => Effect.Effect<Data>,
  joined: Hub.Group | undefined
): Room<Message, Presence> => {
  const group = joined === undefined ? hub.open(name) : Effect.succeed(joined)
  // What members show is what they were given; across processes it came through JSON, which is what it may be.
  const typed = ({ members }: Hub.Group) => members as ReadonlyArray<Hub.Member<Presence>>
  const members = Effect.scoped(Effect.map(group, typed))
  return {
    name,
    broadcast: (message, { except } = {}) =>
      Effect.flatMapEager(encode(message), (data) => hub.say(name, data, except?.id, () => message)),
    members,
    count: Effect.map(members, ({ length }) => length),
    changes: Stream.unwrap(Effect.map(group, (group) => Stream.map(watch(group), () => typed(group))))
  }
}

// An element for each change since the last, the first at once.
const watch = (group: Hub.Group): Stream.Stream<void> =>
  Stream.callback<void>(
    (queue) => {
      const wake = () => void Queue.offerUnsafe(queue, undefined)
      return Effect.acquireRelease(
        Effect.sync(() => {
          group.watchers.add(wake)
          wake()
        }),
        () => Effect.sync(() => group.watchers.delete(wake))
      )
    },
    { bufferSize: 1, strategy: "sliding" }
  )

const now = <A, E>(effect: Effect.Effect<A, E>): A | undefined =>
  Exit.isExit(effect) && Exit.isSuccess(effect) ? (effect.value as A) : undefined
