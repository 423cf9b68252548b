/**
 * Whom the address of a request stands for: a client has one IPv4 address, but a whole /64 network of IPv6.
 *
 * ```ts
 * addressKey(request) // "198.51.100.7", "2001:db8:1:2::/64"
 * ```
 *
 * @spec RFC 6177 §2; RFC 4291 §2.5.4
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Result from "effect/Result"

/** The key; "unknown" for all that come by a unix socket without a proxy that is trusted. */
export const addressKey = (request: HttpServerRequest): string =>
  networkOf(Option.getOrElse(request.remoteAddress, () => "unknown"))

/** The network of an address that is given to one client. */
export const networkOf = (text: string): string => {
  if (!text.includes(":")) return text
  // A zone is this machine's name of a network card.
  const parsed = NetAddress.ipFromString(text.replace(/%.*$/, ""))
  if (Result.isFailure(parsed)) return text
  const address = NetAddress.toCanonical(parsed.success)
  if (NetAddress.isIpv4Address(address)) return NetAddress.formatIp(address)
  return Result.match(IpNetwork.fromAddress(address, 64), { onFailure: () => text, onSuccess: IpNetwork.format })
}
