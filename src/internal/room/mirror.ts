/**
 * The copy of a room in Redis: its members on other processes, as of a count of changes.
 *
 * ```ts
 * if (!mirror.change(8, "n2/1", '{"name":"Ada"}', "n1")) yield* sync(mirror) // a change was missed
 * ```
 */
import type * as Schema from "effect/Schema"
import type { Data } from "../webSocket/wire.ts"
import type { Group } from "./hub.ts"

/** Names and values in turn, as HGETALL gives them. */
export type Fields = ReadonlyArray<string>

/** What Redis has to be told: a member of this process that it does not know, or one that there is not. */
export interface Difference {
  readonly id: string
  readonly value: string | undefined
}

/** The copy. */
export class Mirror {
  readonly group: Group
  /** The name as JSON: without lines. */
  readonly room: string
  /** The count of changes that the copy has; -1 for none. */
  version = -1
  /** The highest count that was told. */
  private told = -1
  private isReading = false

  constructor(group: Group) {
    this.group = group
    this.room = JSON.stringify(group.name)
  }

  /** Hands a frame of another process to the members; its message is decoded at most once, and only if it is needed. */
  deliver(data: Data, except: string | undefined): void {
    let decoded: { readonly message: unknown } | undefined
    this.group.deliver(data, except, () => {
      const [seat] = this.group.seats.values()
      decoded ??= { message: seat?.decode(data) }
      return decoded.message
    })
  }

  /** Takes note of a change; false where one before it was missed. */
  change(version: number, id: string, value: string | undefined, node: string): boolean {
    this.told = Math.max(this.told, version)
    if (this.isReading || version <= this.version) return true
    if (version !== this.version + 1) return false
    this.version = version
    if (id.startsWith(`${node}/`)) return true
    if (value === undefined) this.group.others.delete(id)
    else this.group.others.set(id, parse(value))
    this.group.changed()
    return true
  }

  /** Begins to read everything; false where it is being read. */
  begin(): boolean {
    if (this.isReading) return false
    this.isReading = true
    return true
  }

  end(): void {
    this.isReading = false
  }

  lost(): void {
    this.version = -1
    this.told = -1
  }

  /** Whether more changes were told than were read. */
  get isBehind(): boolean {
    return this.told > this.version
  }

  /** Takes what was read, and gives what is wrong in it about this process. */
  fill(fields: Fields, node: string): ReadonlyArray<Difference> {
    const { others, seats } = this.group
    const missing = new Map(Array.from(seats.values(), ({ id, presence }) => [id, JSON.stringify(presence)]))
    const wrong: Array<Difference> = []
    this.version = 0
    others.clear()
    for (let at = 0; at < fields.length; at += 2) {
      const [id, value] = [fields[at] as string, fields[at + 1] as string]
      if (id === "") this.version = Number(value)
      else if (!id.startsWith(`${node}/`)) others.set(id, parse(value))
      else if (missing.get(id) === value) missing.delete(id)
      else if (!seats.has(id)) wrong.push({ id, value: undefined })
    }
    this.group.changed()
    for (const [id, value] of missing) wrong.push({ id, value })
    return wrong
  }
}

// Written by JSON.stringify, by whoever has the same prefix.
const parse = (value: string): Schema.Json => {
  try {
    return JSON.parse(value) as Schema.Json
  } catch {
    return null
  }
}
