/**
 * Logs outcomes by the options of an access log; nothing that goes wrong here reaches the request.
 *
 * ```ts
 * const log = make(options)
 * exchange.observe((outcome) => log(outcome, fiber.context))
 * ```
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as LogLevel from "effect/LogLevel"
import * as Random from "effect/Random"
import * as References from "effect/References"
import type { Outcome } from "../../Outcome.ts"
import type { Exchange } from "../exchange/exchange.ts"
import { Entry, type Redaction, rules } from "./entry.ts"
import { escaped } from "./escaped.ts"
import * as Fields from "./fields.ts"
import { batched, Pending } from "./lines.ts"

/** The options, as AccessLog documents them. */
export interface Options extends Redaction {
  readonly format?: (entry: Entry) => string
  readonly fields?: boolean
  readonly write?: (lines: string) => void
  readonly skip?: ReadonlyArray<string | number | ((outcome: Outcome) => boolean)>
  readonly sample?: number
  readonly slow?: Duration.Input
}

/** Logs an outcome with the loggers of a context. */
export type Log = (outcome: Exchange, context: Context.Context<never>) => void

/** Makes it of what `Server` and `AccessLog.make` take. */
export const of = (input: true | Options | NonNullable<Options["format"]>): Log =>
  make(input === true ? {} : typeof input === "function" ? { format: input } : input)

/** Makes it. Throws a TypeError for a sample that is no share. */
export const make = (options: Options): Log => {
  const { format = message, sample = 1 } = options
  if (!(sample >= 0 && sample <= 1)) throw new TypeError(`AccessLog: sample is ${sample}; give a share from 0 to 1`)
  const slow = options.slow === undefined ? Number.POSITIVE_INFINITY : Duration.toMillis(options.slow) * 1e6
  const isSkipped = skipper(options.skip ?? [])
  const redaction = rules(options)
  const withFields = options.fields ?? options.format === undefined
  const warn = warner()
  let lastContext = Context.empty()
  const line = options.write && batched(options.write, (error) => warn(error, lastContext))

  const log: Log = (outcome, context) => {
    const isSlow = outcome.nanos >= slow
    const level = isSlow ? "Warn" : "Info"
    if (line === undefined && isDisabled(context, level)) return
    if (isSkipped(outcome)) return
    const isPlain = outcome.status < 400 && outcome.result === "completed" && !isSlow
    if (sample < 1 && isPlain && Context.get(context, Random.Random).nextDoubleUnsafe() >= sample) return
    const made = new Entry(outcome, isSlow, redaction)
    if (line !== undefined) {
      lastContext = context
      line(format(made), Context.get(context, Pending))
      return
    }
    const annotations = { logger: Fields.logger, ...(withFields ? Fields.fields(made) : undefined) }
    toLogger(format(made), level, annotations, context, warn)
  }
  return (outcome, context) => {
    try {
      log(outcome, context)
    } catch (error) {
      warn(error, context)
    }
  }
}

/** The message where fields say the rest: `GET /users/42 200`. */
const message = ({ outcome }: Entry): string => {
  const { method, result, status, url } = outcome
  const request = method === "" ? "-" : escaped(`${method} ${url.split("?", 1)[0]}`)
  return result === "completed" || result === "failed" ? `${request} ${status}` : `${request} ${status} ${result}`
}

const isDisabled = (context: Context.Context<never>, level: "Info" | "Warn"): boolean =>
  LogLevel.isGreaterThan(Context.get(context, References.MinimumLogLevel), level)

const skipper = (rules: NonNullable<Options["skip"]>): ((outcome: Outcome) => boolean) => {
  const same = new Set<unknown>(rules.filter((rule) => typeof rule !== "function"))
  const predicates = rules.filter((rule) => typeof rule === "function")
  if (rules.length === 0) return () => false
  return (outcome) =>
    same.has(outcome.status) || same.has(outcome.route ?? "") || predicates.some((predicate) => predicate(outcome))
}

type Warn = (error: unknown, context: Context.Context<never>) => void

const toLogger = (
  text: string,
  level: "Info" | "Warn",
  annotations: Readonly<Record<string, unknown>>,
  context: Context.Context<never>,
  warn: Warn
): void => {
  const all = { ...Context.get(context, References.CurrentLogAnnotations), ...annotations }
  const annotated = Context.add(context, References.CurrentLogAnnotations, all)
  const logged = Effect.runForkWith(annotated)(Effect.logWithLevel(level)(text))
  logged.addObserver((exit) => {
    if (Exit.isFailure(exit)) warn(Cause.squash(exit.cause), context)
  })
}

/** At most one warning a minute, with how many lines were lost since. */
const patience = 60_000_000_000n

const warner = (): Warn => {
  let [last, lost]: [bigint | undefined, number] = [undefined, 0]
  return (error, context) => {
    lost++
    const now = Context.get(context, Clock.Clock).monotonicTimeNanosUnsafe()
    if (last !== undefined && now - last < patience) return
    last = now
    const text = `The access log failed: ${lost === 1 ? "a line is" : `${lost} lines are`} lost`
    const logged = Effect.annotateLogs(Effect.logWarning(text, Cause.die(error)), {
      logger: Fields.logger,
      lost
    })
    lost = 0
    Effect.runForkWith(context)(logged)
  }
}
