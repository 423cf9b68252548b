/**
 * The `Host` header, and the patterns that routes match it with.
 *
 * ```ts
 * Host.parse("API.example.com:8080") // { hostname: "api.example.com", port: 8080 }
 * Host.pattern("{tenant}.example.com").match("acme.example.com") // { tenant: "acme" }
 * Host.pattern("*.example.com").match("example.com") // undefined
 * ```
 *
 * A pattern is a host name: labels between dots, no scheme, no port. A label `{name}` stands for one label and captures
 * it; a first label `*` stands for one or more. Names of other scripts are encoded as IDNA does: `bücher.example`.
 *
 * @source aiohttp.web_urldispatcher.Domain
 * @spec RFC 9110 §7.2; RFC 3986 §3.2.2
 */

/**
 * Reads `uri-host [ ":" port ]`: the host name in lower case, an IPv6 address with its brackets, the port `undefined`
 * when there is none or it is empty. `undefined` for anything else: no host name, user info, spaces, paths, characters
 * that must be percent-encoded, a broken address, a port above 65535.
 *
 * @spec RFC 9110 §7.2; RFC 3986 §3.2.2, §3.2.3
 */
export const parse = (text: string): { readonly hostname: string; readonly port: number | undefined } | undefined => {
  const bracket = text.startsWith("[") ? text.indexOf("]") : -1
  const colon = text.indexOf(":", bracket + 1)
  const hostname = colon === -1 ? text : text.slice(0, colon)
  const port = colon === -1 ? "" : text.slice(colon + 1)
  const valid = bracket > 0 ? hostname.length === bracket + 1 && isIpv6(text.slice(1, bracket)) : isName(hostname)
  if (!valid || !/^\d*$/.test(port) || Number(port) > 65535) return undefined
  return { hostname: hostname.toLowerCase(), port: port === "" ? undefined : Number(port) }
}

/**
 * Whether the text is an IPv6 address, without brackets and without a zone.
 *
 * @spec RFC 4291 §2.2
 */
export const isIpv6 = (text: string): boolean => /^[0-9A-Fa-f:.]{2,45}$/.test(text) && URL.canParse(`http://[${text}]/`)

/** What a route matches a host name with. */
export interface HostPattern {
  /** The pattern as it matches: in lower case, IDNA-encoded. */
  readonly text: string
  /** The names of the captured labels. */
  readonly names: ReadonlyArray<string>
  /** Whether the pattern is one host name, without `*` and `{name}`. */
  readonly exact: boolean
  /**
   * The captured labels in lower case, null prototype; `undefined` when the host name does not match. Upper and lower
   * case are the same, and so is the name with a final dot. Takes a host name as `parse` gives it, without the port.
   */
  readonly match: (hostname: string) => Readonly<Record<string, string>> | undefined
}

/**
 * Reads a pattern: "api.example.com", "*.example.com" (any subdomain, not the domain itself) or "{tenant}.example.com".
 *
 * Throws a TypeError on a scheme, a path, a port, an empty or malformed label, a `*` that is not the first label and a
 * name used twice. Unlike aiohttp, the port of a request plays no part, and case none either.
 */
export const pattern = (text: string): HostPattern => {
  const fail = (cure: string): never => {
    throw new TypeError(`Host pattern ${JSON.stringify(text)}: ${cure}`)
  }
  if (text.includes("/")) fail("write the host name alone, without scheme and path")
  if (text.startsWith("[")) {
    const literal = parse(text)
    return literal !== undefined && text.endsWith("]")
      ? make([literal.hostname])
      : fail("write an IPv6 address in brackets, without a port")
  }
  if (text.includes(":")) fail("remove the port: a pattern matches on every port")
  const labels = text.split(".").map((label, index) => {
    if (label === "") return fail("remove the empty label: dots stand between labels only")
    if (label === "*" && index === 0 && text !== "*") return label
    if (label.includes("*")) return fail('write "*" as the first of several labels only, and nothing else in it')
    if (NAMED.test(label)) return label
    if (/[{}]/.test(label)) return fail('write "{name}" as a whole label, the name in letters, digits and "_"')
    return encode(label) ?? fail(`${JSON.stringify(label)} is not a label: use letters, digits, "-" and "_"`)
  })
  const names = labels.flatMap((label) => NAMED.exec(label)?.slice(1) ?? [])
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) fail(`rename one of the two labels "{${twice}}"`)
  return make(labels)
}

const NAMED = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/

const make = (labels: ReadonlyArray<string>): HostPattern => {
  const names = labels.map((label) => NAMED.exec(label)?.[1])
  const wild = labels[0] === "*"
  return {
    text: labels.join("."),
    names: names.filter((name) => name !== undefined),
    exact: !wild && names.every((name) => name === undefined),
    match: (hostname) => {
      const found = hostname.toLowerCase().replace(/\.$/, "").split(".")
      // A "*" stands for the labels that are more than the pattern's, and its own
      const extra = found.length - labels.length
      if (found.includes("") || (wild ? extra < 0 : extra !== 0)) return undefined
      const captured: Record<string, string> = Object.create(null)
      for (let index = wild ? 1 : 0; index < labels.length; index++) {
        const label = found[index + extra]!
        const name = names[index]
        if (name !== undefined) captured[name] = label
        else if (label !== labels[index]) return undefined
      }
      return captured
    }
  }
}

// A reg-name. Two searches for what is wrong, because the repeated alternation they replace keeps state per character
const isName = (text: string): boolean =>
  text !== "" && !/[^A-Za-z0-9\-._~!$&'()*+,;=%]/.test(text) && !/%(?![0-9A-Fa-f]{2})/.test(text)

// A label in lower case; one of another script as its "xn--" form, which only the URL parser can compute
const encode = (label: string): string | undefined => {
  if (!/^[\w\-\u0080-\uffff]+$/.test(label)) return undefined
  const ascii = /[\u0080-\uffff]/.test(label)
    ? URL.parse(`http://${label}.test`)?.hostname.slice(0, -".test".length)
    : label.toLowerCase()
  return ascii !== undefined && LABEL.test(ascii) ? ascii : undefined
}
