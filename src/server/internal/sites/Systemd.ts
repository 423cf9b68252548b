/**
 * The sockets that systemd hands over.
 *
 * ```ts
 * const places = yield* Systemd.descriptors(Site.systemd({ name: "web" }))
 * ```
 *
 * @spec sd_listen_fds(3)
 */
import * as Effect from "effect/Effect"
import type { ServeError } from "effect/http/HttpServerError"
import type { Descriptor, Systemd } from "../../Site.ts"
import { CurrentWorker } from "../workers/Seat.ts"
import { failure } from "./startFailure.ts"

/** The first descriptor that is handed over (SD_LISTEN_FDS_START). */
const first = 3

/** The descriptors of a site. */
export const descriptors = (site: Systemd): Effect.Effect<ReadonlyArray<Descriptor>, ServeError> =>
  Effect.flatMap(CurrentWorker, (worker) => {
    const { LISTEN_FDNAMES = "", LISTEN_FDS = "", LISTEN_PID } = process.env
    // What a parent was given is not ours, but for a worker's: the supervisor listens there for all.
    const owner = worker === undefined ? process.pid : process.ppid
    const count = LISTEN_PID === String(owner) && /^\d{1,4}$/.test(LISTEN_FDS) ? Number(LISTEN_FDS) : 0
    const names = LISTEN_FDNAMES.split(":")
    const found = Array.from({ length: count }, (_, index) => ({ fd: first + index, name: names[index] ?? "unknown" }))
    const wanted = found.filter(({ name }) => site.name === undefined || site.name === name)
    if (wanted.length > 0)
      return Effect.succeed(
        wanted.map(({ fd }): Descriptor => ({ _tag: "Descriptor", fd, h2c: site.h2c, tls: site.tls }))
      )
    const cure =
      count === 0
        ? "systemd has handed over none to this process; start it by a .socket unit, or give another site"
        : `none is named "${site.name}"; its .socket unit has to say FileDescriptorName=${site.name}`
    return Effect.fail(failure("the sockets of systemd", new Error(cure)))
  })
