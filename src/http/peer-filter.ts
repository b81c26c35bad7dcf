// Who may connect: lists of networks, `10.0.0.0/8` or `fd00::/8`, or single addresses. Denied goes before allowed.
import { type Address, type Prefix, parsePrefix } from '../core/ip/address.ts'

/** Null lists let everybody in, and nobody is denied. Throws where a text is no network. */
export function peerFilter(allow: readonly string[] | null, deny: readonly string[]): (address: Address) => boolean {
  const allowed = allow?.map(networkOf) ?? null
  const denied = deny.map(networkOf)
  return (address) => {
    if (denied.some((network) => isIn(address, network))) return false
    return allowed === null || allowed.some((network) => isIn(address, network))
  }
}

function networkOf(text: string): Prefix {
  const prefix = parsePrefix(text)
  if (prefix === null)
    throw new TypeError(`'${text}' is neither a network, such as 10.0.0.0/8 or fd00::/8, nor an address`)
  return prefix
}

function isIn(address: Address, { address: network, length }: Prefix): boolean {
  return address.isIpv4 === network.isIpv4 && address.isWithin(network, length)
}
