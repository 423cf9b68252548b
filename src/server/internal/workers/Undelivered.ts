/**
 * Connections that were on their way to a worker when it died: others get them.
 *
 * ```ts
 * Undelivered.follow(Cluster.fork())
 * ```
 *
 * Node's supervisor accepts connections and sends them to workers, each of which says that it has it. What a worker has not said when
 * it is gone Node forgets: its client would wait for ever. This looks at the messages between both; where Node should write them
 * otherwise some day, it does nothing.
 *
 * @source Node: lib/internal/cluster/round_robin_handle.js, utils.js
 */
import type * as ChildProcess from "node:child_process"
import * as Cluster from "node:cluster"

/** What Node sends with a connection; the answer to it has its number. */
interface Offer {
  readonly act: "newconn"
  readonly seq: number
}

interface Answer {
  readonly ack?: number
  readonly accepted?: boolean
}

type Handle = ChildProcess.SendHandle

/** Follows what is on its way to a worker. */
export const follow = (worker: Cluster.Worker): void => {
  const offers = new Map<number, readonly [offer: Offer, handle: Handle]>()
  const child = worker.process
  const send = child.send as (...args: ReadonlyArray<unknown>) => boolean
  child.send = (message: unknown, handle?: unknown, ...rest: ReadonlyArray<unknown>) => {
    if (isOffer(message) && handle) offers.set(message.seq, [message, handle as Handle])
    return send.call(child, message, handle, ...rest)
  }
  const onMessage = (message: Answer) => {
    if (message.ack !== undefined) offers.delete(message.ack)
  }
  child.on("internalMessage", onMessage)
  let isDisconnected = false
  child.once("disconnect", () => {
    isDisconnected = true
  })
  const settle = () => {
    // Node does not always see the end of what it talks to a worker by, and would go on handing connections to it.
    if (!isDisconnected) child.emit("disconnect")
    for (const [offer, handle] of offers.values()) {
      // As if the worker had said, at last, that it has it: Node lets go of its side.
      const done = () => void child.emit("internalMessage", { cmd: "NODE_CLUSTER", ack: offer.seq, accepted: true })
      redirect(offer, handle, new Set([worker.id]), done)
    }
    offers.clear()
  }
  child.once("exit", () => setTimeout(settle, late))
}

/** How long after the end of a process its last words are waited for, in milliseconds. */
const late = 100

// Those of Node count from 0 upwards.
let last = 0

// Each that is there is asked once: one that is starting, or has closed, does not take it. With none left the connection is closed.
const redirect = (offer: Offer, handle: Handle, tried: Set<number>, done: () => void): void => {
  const other = Object.values(Cluster.default.workers ?? {}).find(
    (worker) => worker !== undefined && !tried.has(worker.id) && worker.isConnected()
  )
  if (other === undefined) {
    done()
    return
  }
  tried.add(other.id)
  const child = other.process
  const seq = --last
  const forget = () => {
    child.off("internalMessage", onMessage).off("exit", onExit)
  }
  const onMessage = ({ accepted, ack }: Answer) => {
    if (ack !== seq) return
    forget()
    if (accepted === true) done()
    else redirect(offer, handle, tried, done)
  }
  const onExit = () => {
    forget()
    redirect(offer, handle, tried, done)
  }
  child.on("internalMessage", onMessage).once("exit", onExit)
  child.send({ ...offer, seq } as never, handle)
}

const isOffer = (message: unknown): message is Offer =>
  typeof message === "object" &&
  message !== null &&
  "act" in message &&
  message.act === "newconn" &&
  "seq" in message &&
  Number(message.seq) >= 0
