/**
 * A copy follows its room in Redis, and finds out what it has missed.
 */
import { assert, describe, it } from "@effect/vitest"
import { Group, type Seat } from "../../../src/internal/room/hub.ts"
import { Mirror } from "../../../src/internal/room/mirror.ts"

const seat = (id: string, name: string): Seat => ({
  id,
  presence: { name },
  take: () => false,
  decode: (data) => JSON.parse(String(data))
})
const made = (...seats: ReadonlyArray<Seat>) => {
  const group = new Group("lobby")
  for (const each of seats) group.seats.set(each.id, each)
  return { group, mirror: new Mirror(group) }
}
const ids = (group: Group) => group.members.map(({ id }) => id)

describe("the copy of a room", () => {
  it("is what was read, with what followed", () => {
    const { group, mirror } = made(seat("me/1", "Ada"))
    const fields = ["", "7", "me/1", '{"name":"Ada"}', "you/1", '{"name":"Grace"}']
    assert.deepStrictEqual(mirror.fill(fields, "me"), [])
    assert.deepStrictEqual(ids(group), ["me/1", "you/1"])
    assert.isTrue(mirror.change(8, "you/2", '{"name":"Edsger"}', "me"))
    assert.isTrue(mirror.change(9, "you/1", undefined, "me"))
    assert.deepStrictEqual(group.members.at(-1), { id: "you/2", presence: { name: "Edsger" } })
    assert.deepStrictEqual([ids(group), mirror.version], [["me/1", "you/2"], 9])
  })

  it("counts the changes of its own process, and takes nothing from them", () => {
    const { group, mirror } = made()
    mirror.fill([], "me")
    assert.isTrue(mirror.change(1, "me/1", "null", "me"))
    assert.deepStrictEqual([ids(group), mirror.version], [[], 1])
  })

  it("takes nothing twice, and sees what it has missed", () => {
    const { group, mirror } = made()
    mirror.fill(["", "7"], "me")
    assert.isTrue(mirror.change(7, "you/1", "null", "me"))
    assert.isFalse(mirror.change(9, "you/1", "null", "me"))
    assert.deepStrictEqual(ids(group), [])
  })

  it("sees what was told while it was read", () => {
    const { mirror } = made()
    assert.isTrue(mirror.begin())
    assert.isFalse(mirror.begin())
    assert.isTrue(mirror.change(9, "you/1", "null", "me"))
    mirror.fill(["", "8"], "me")
    assert.isTrue(mirror.isBehind)
    mirror.fill(["", "9"], "me")
    assert.isFalse(mirror.isBehind)
  })

  it("finds what Redis does not know of this process, knows wrongly, or should not know any more", () => {
    const { mirror } = made(seat("me/1", "Ada"), seat("me/2", "Grace"), seat("me/3", "Edsger"))
    const fields = ["me/2", '{"name":"Grace"}', "me/3", '{"name":"?"}', "me/4", "null", "you/1", "no JSON"]
    assert.deepStrictEqual(mirror.fill(fields, "me"), [
      { id: "me/4", value: undefined },
      { id: "me/1", value: '{"name":"Ada"}' },
      { id: "me/3", value: '{"name":"Edsger"}' }
    ])
  })

  it("decodes a frame of another process once, and only for those who ask", () => {
    const heard: Array<unknown> = []
    let decoded = 0
    const curious = (id: string): Seat => ({
      ...seat(id, ""),
      take: (_, message) => heard.push(message()) < 0,
      decode: (data) => {
        decoded++
        return JSON.parse(String(data))
      }
    })
    made(seat("me/1", "")).mirror.deliver("1", undefined)
    assert.strictEqual(decoded, 0)
    made(curious("me/1"), curious("me/2"), curious("me/3")).mirror.deliver("1", "me/2")
    assert.deepStrictEqual([heard, decoded], [[1, 1], 1])
  })
})
