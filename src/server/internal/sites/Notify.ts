/**
 * Tells systemd how the program is: ready, reloading, stopping, alive.
 *
 * ```ts
 * yield* Notify.ready("2 workers") // in a unit with Type=notify and NotifyAccess=all
 * ```
 *
 * Node has no datagram sockets of unix: `systemd-notify` sends, which is why the unit has to say NotifyAccess=all. Where
 * `NOTIFY_SOCKET` is not set nothing happens.
 *
 * @spec sd_notify(3), systemd-notify(1)
 */
import * as ChildProcess from "node:child_process"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

/** So long systemd-notify may take. */
const patience = 5000

const send = (...fields: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (!process.env.NOTIFY_SOCKET) return Effect.void
    const sent = Effect.callback<string | undefined>((resume) => {
      ChildProcess.execFile("systemd-notify", fields, { timeout: patience }, (error, _, errors) =>
        resume(Effect.succeed(error === null ? undefined : errors.trim() || error.message))
      )
    })
    return Effect.flatMap(sent, (failure) =>
      failure === undefined ? Effect.void : Effect.logWarning(`systemd was not told ${fields[0]}: ${failure}`)
    )
  })

/**
 * It serves, and says goodbye when the scope closes, before what was acquired earlier is released. Where systemd watches (`WatchdogSec`)
 * it hears from the program twice in that time.
 */
export const serving = Effect.fnUntraced(function* (status: string): Effect.fn.Return<void, never, Scope.Scope> {
  yield* ready(status)
  yield* Effect.addFinalizer(() => send("STOPPING=1", "STATUS=stopping"))
  const { WATCHDOG_PID = String(process.pid), WATCHDOG_USEC = "" } = process.env
  if (!/^\d+$/.test(WATCHDOG_USEC) || WATCHDOG_PID !== String(process.pid)) return
  const half = Duration.micros(BigInt(WATCHDOG_USEC) / 2n)
  yield* Effect.forkScoped(Effect.repeat(send("WATCHDOG=1"), Schedule.spaced(half)))
})

/** It serves. */
export const ready = (status: string): Effect.Effect<void> =>
  send("READY=1", `STATUS=${status}`, `MAINPID=${process.pid}`)

/** It reads its program again. */
export const reloading: Effect.Effect<void> = Effect.suspend(() =>
  // The clock of the system's, which is Node's too.
  send("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`, "STATUS=replacing the workers")
)
