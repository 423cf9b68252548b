/**
 * Who sent a request that came through proxies: the hops that they have written down, walked back from the last one.
 *
 * ```ts
 * const find = clientAddress(["10.0.0.0/8"], "x-forwarded-for")
 * find({ address: "10.0.0.1", protocol: "http", host: "app" }, { "x-forwarded-for": "6.6.6.6, 198.51.100.7" }).client
 * // { address: "198.51.100.7", protocol: "http", host: "app" }: what stands before it is the client's own invention
 * ```
 *
 * @spec RFC 7239 §5, §7.4, §8.1
 */
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Forwarded from "../../http/Forwarded.ts"
import * as target from "./target.ts"

/** Where a request comes from, as far as it can be trusted. */
export interface Client {
  readonly address: string | undefined
  readonly protocol: "http" | "https"
  readonly host: string
}

/** The client, and whether a proxy has told its address. */
export interface Found {
  readonly client: Client
  readonly isTold: boolean
}

type Headers = Readonly<Record<string, string | undefined>>
type Hop = { readonly for: string | undefined; readonly proto: string | undefined; readonly host: string | undefined }

/**
 * Compiles the walk. "unix" stands for a peer without an address. Throws a TypeError when another entry of `trusted` is no address and
 * no network.
 */
export const clientAddress = (trusted: ReadonlyArray<string>, header: "forwarded" | "x-forwarded-for") => {
  const isTrusted = trusts(trusted.filter((each) => each !== "unix"))
  const trustsUnix = trusted.includes("unix")
  return (direct: Client, headers: Headers): Found => {
    const peer = parseAddress(direct.address)
    let [client, isTold] = [direct, false]
    if (peer === undefined ? !trustsUnix || direct.address !== undefined : !isTrusted(peer)) return { client, isTold }
    for (const hop of (header === "forwarded" ? forwarded(headers) : xForwarded(headers)).reverse()) {
      const address = parseAddress(hop.for)
      client = {
        address: address === undefined ? client.address : NetAddress.formatIp(address),
        protocol: parseProtocol(hop.proto) ?? direct.protocol,
        host: target.normalHost(hop.host) ?? direct.host
      }
      // "unknown", a hidden name, or no address at all: nobody vouches for what stands before it
      if (address === undefined) break
      isTold = true
      if (!isTrusted(address)) break
    }
    return { client, isTold }
  }
}

const trusts = (trusted: ReadonlyArray<string>) => {
  const networks = trusted.map(parseNetwork)
  return (address: NetAddress.IpAddress) => networks.some((each) => IpNetwork.contains(each, address))
}

/** Compiles whether a peer is one of the `trusted`, "unix" included. Throws a TypeError when an entry is no address and no network. */
export const trustedPeers = (trusted: ReadonlyArray<string>): ((address: string | undefined) => boolean) => {
  if (trusted.length === 0) return () => false
  const isTrusted = trusts(trusted.filter((each) => each !== "unix"))
  const trustsUnix = trusted.includes("unix")
  return (address) => {
    const parsed = parseAddress(address)
    return parsed === undefined ? trustsUnix && address === undefined : isTrusted(parsed)
  }
}

const forwarded = (headers: Headers): Array<Hop> =>
  Forwarded.parse(headers.forwarded).map((element) => ({ for: element.for, proto: element.proto, host: element.host }))

// The other two lists belong to the hops when they are as long, or one value to all when the last proxy overwrites it. Without addresses
// their last values are those of the last proxy.
const xForwarded = (headers: Headers): Array<Hop> => {
  const addresses = list(headers["x-forwarded-for"])
  const at = (values: ReadonlyArray<string>, index: number) =>
    values.length === addresses.length ? values[index] : values.length === 1 ? values[0] : undefined
  const protocols = list(headers["x-forwarded-proto"])
  const hosts = list(headers["x-forwarded-host"])
  if (addresses.length === 0 && protocols.length + hosts.length > 0)
    return [{ for: undefined, proto: protocols.at(-1), host: hosts.at(-1) }]
  return addresses.map((address, index) => ({ for: address, proto: at(protocols, index), host: at(hosts, index) }))
}

const list = (header: string | undefined): ReadonlyArray<string> =>
  header === undefined ? [] : header.split(",").map((each) => each.trim())

// An IPv6 address stands without brackets in X-Forwarded-For, and a node may have a port
const parseAddress = (text: string | undefined): NetAddress.IpAddress | undefined => {
  if (text === undefined) return undefined
  const whole = NetAddress.ipFromString(text)
  const address = Result.isSuccess(whole) ? whole : NetAddress.ipFromString(Forwarded.node(text)?.address ?? "")
  return Result.isSuccess(address) ? NetAddress.toCanonical(address.success) : undefined
}

const parseProtocol = (text: string | undefined): "http" | "https" | undefined => {
  const lower = text?.toLowerCase()
  return lower === "http" || lower === "https" ? lower : undefined
}

const parseNetwork = (text: string): IpNetwork.IpNetwork => {
  const network = text.includes("/")
    ? IpNetwork.fromString(text)
    : Result.flatMap(NetAddress.ipFromString(text), (address) => {
        const canonical = NetAddress.toCanonical(address)
        return IpNetwork.fromAddress(canonical, NetAddress.width(canonical))
      })
  if (Result.isSuccess(network)) return network.success
  throw new TypeError(
    `"${text}" is neither an address nor a network; write "10.0.0.1", "10.0.0.0/8", "fd00::/8" or "unix"`
  )
}
