/**
 * What a client offers in Sec-WebSocket-Extensions, as far as it is known here: permessage-deflate.
 *
 * ```ts
 * deflateOffer("foo, permessage-deflate; client_max_window_bits") // "permessage-deflate; client_max_window_bits"
 * ```
 *
 * The first offer that can be taken is. Others are declined, which is not to answer them (RFC 7692 §7); what is no list of extensions
 * fails the handshake (RFC 6455 §9.1).
 *
 * @spec RFC 6455 §9.1; RFC 7692 §5, §7.1
 */
import * as Syntax from "../../http/Syntax.ts"

/** The offer that is taken; undefined for none. Throws a SyntaxError for what is no list of extensions. */
export const deflateOffer = (header: string): string | undefined => {
  const offers = Syntax.elements(header)
  if (offers.length === 0) throw new SyntaxError("no extension")
  let taken: string | undefined
  // All are read: a list that is broken behind the offer is broken.
  for (const written of offers) {
    const offer = closed(written)
    const [name, ...parameters] = parse(offer)
    if (taken === undefined && name?.[0] === "permessage-deflate" && isTakeable(parameters)) taken = offer
  }
  return taken
}

// Space may stand between any two words, by the "implied *LWS rule" that §9.1 takes over: `ws` reads none around "=".
const closed = (offer: string): string => offer.split("=").map(Syntax.trim).join("=")

type Parameter = readonly [name: string, value: string | undefined]

// token *( ";" token [ "=" ( token / quoted-string ) ] ), where a quoted string has to be a token too
const parse = (offer: string): ReadonlyArray<Parameter> => {
  const found: Array<Parameter> = []
  let at = 0
  for (;;) {
    const end = Syntax.tokenEnd(offer, at)
    if (end === at) throw new SyntaxError(`no token at ${at}`)
    const isNamed = found.length > 0 && offer[end] === "="
    const pair = isNamed ? Syntax.pair(offer, at) : undefined
    if (isNamed && (pair === undefined || !Syntax.isToken(pair.value))) throw new SyntaxError(`no value at ${end}`)
    found.push([offer.slice(at, end), pair?.value])
    at = Syntax.spaceEnd(offer, pair?.end ?? end)
    if (at === offer.length) return found
    if (offer[at] !== ";") throw new SyntaxError(`no semicolon at ${at}`)
    at = Syntax.spaceEnd(offer, at + 1)
  }
}

// §7.1: unknown parameters, those that come twice, and wrong values decline an offer
const isTakeable = (parameters: ReadonlyArray<Parameter>): boolean =>
  new Set(parameters.map(([name]) => name)).size === parameters.length &&
  parameters.every(([name, value]) => Object.hasOwn(known, name) && known[name as keyof typeof known](value))

const isWindow = (value: string | undefined): boolean => /^([89]|1[0-5])$/.test(value ?? "")

const known = {
  server_no_context_takeover: (value: string | undefined) => value === undefined,
  client_no_context_takeover: (value: string | undefined) => value === undefined,
  server_max_window_bits: isWindow,
  client_max_window_bits: (value: string | undefined) => value === undefined || isWindow(value)
}
