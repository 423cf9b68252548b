/**
 * An event of an event stream, checked when it is made, as the bytes that are sent.
 *
 * ```ts
 * event("two\nlines", { id: "7", event: "note" }).bytes // id: 7\nevent: note\ndata: two\ndata: lines\n\n
 * ```
 *
 * Unlike Effect's `Sse.encoder`, which lets an id or a name with a line break become fields of its own.
 *
 * @spec WHATWG HTML §9.2.5, §9.2.6
 */
import * as Duration from "effect/Duration"

/** What an event has beside its data. */
export interface Fields {
  /** What the client gives back as Last-Event-ID when it comes again. "" makes it forget. Without CR, LF and NUL. */
  readonly id?: string | undefined
  /** The name that the client listens to; "message" without it. Without CR and LF. */
  readonly event?: string | undefined
  /** How long the client waits before it comes again, from now on; in whole milliseconds. */
  readonly retry?: Duration.Input | undefined
}

/** An event. Its data may have lines: broken by CR, LF or CRLF, they come to the client broken by LF. */
export class Event {
  /** Undefined for what only sets the id or the time to wait: the client dispatches nothing. */
  readonly data: string | undefined
  readonly id: string | undefined
  readonly event: string | undefined
  /** In milliseconds. */
  readonly retry: number | undefined
  private encoded: Uint8Array | undefined

  constructor(data: string | undefined, { event, id, retry }: Fields) {
    if (data !== undefined && typeof data !== "string") {
      throw new TypeError(`Sse.event: data is text: give a schema to Sse.response, or encode the ${typeof data}`)
    }
    if (id !== undefined) check("id", id, /[\r\n\0]/)
    if (event !== undefined) check("name", event, /[\r\n]/)
    this.data = data
    this.id = id
    this.event = event
    this.retry = retry === undefined ? undefined : millis(retry)
  }

  /** Encoded once, however many clients get it. */
  get bytes(): Uint8Array {
    this.encoded ??= encoder.encode(this.text)
    return this.encoded
  }

  /** The same event with another id. */
  withId(id: string): Event {
    return new Event(this.data, { event: this.event, retry: this.retry, id })
  }

  private get text(): string {
    const { data, event, id, retry } = this
    let text = retry === undefined ? "" : `retry: ${retry}\n`
    if (id !== undefined) text += `id: ${id}\n`
    if (event !== undefined && event !== "") text += `event: ${event}\n`
    if (data !== undefined) text += `data: ${data.replace(/\r\n|\r|\n/g, "\ndata: ")}\n`
    return `${text === "" ? ":\n" : text}\n`
  }
}

/** Makes an event. Throws a TypeError for an id or a name that would break out of its field. */
export const event = (data: string | undefined, fields: Fields = {}): Event => new Event(data, fields)

/** A line that no client sees, and that tells everybody on the way that the connection is alive. */
export const comment = new Event(undefined, {})

const check = (what: string, text: string, refused: RegExp): void => {
  if (refused.test(text)) {
    throw new TypeError(`The ${what} of an event cannot be ${JSON.stringify(text)}: it would end its line`)
  }
}

const millis = (retry: Duration.Input): number => {
  const millis = Math.round(Duration.toMillis(retry))
  if (!Number.isSafeInteger(millis) || millis < 0) throw new TypeError(`An event cannot ask to retry in ${millis} ms`)
  return millis
}

const encoder = new TextEncoder()
