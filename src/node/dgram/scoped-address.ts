// Addresses as a datagram socket is given and shows them: of the socket's family alone, and a link-local one with the interface it is
// of, `fe80::1%tun0` (RFC 4007 §11). A socket of IPv6 shows IPv4 addresses in their mapped form.
import { type Address, parseAddress } from '../../core/ip/address.ts'
import type { Interface } from '../../core/ip/interface.ts'
import type { Stack } from '../../core/stack.ts'

export interface ScopedAddress {
  readonly address: Address
  /** Null where none is named, or none of that name is there. */
  readonly interface: Interface | null
}

/** Null where the text is no address of the family. Whoever sends to no address in particular means this host: `reachable`. */
export function parseScoped(core: Stack, text: string, isIpv6: boolean): ScopedAddress | null {
  const zoneAt = text.indexOf('%')
  const bare = zoneAt < 0 ? text : text.slice(0, zoneAt)
  if (bare.includes(':') !== isIpv6 || (zoneAt >= 0 && !isIpv6)) return null
  const address = parseAddress(bare)
  if (address === null) return null
  return { address, interface: zoneAt < 0 ? null : interfaceOf(core, text.slice(zoneAt + 1)) }
}

/** By its name, or by its number as `if_nametoindex` counts: from 1. */
function interfaceOf({ interfaces }: Stack, zone: string): Interface | null {
  const named = interfaces.list.find(({ name }) => name === zone)
  return named ?? interfaces.list[Number(zone) - 1] ?? null
}

/** As Node shows it: the zone of a link-local address is its interface's name. */
export function showScoped(core: Stack, address: Address, isIpv6: boolean, by: number): string {
  const text = address.toString()
  if (!isIpv6) return text
  if (address.isIpv4) return `::ffff:${text}`
  const from = address.isLinkLocal ? core.interfaces.list[by] : undefined
  return from === undefined ? text : `${text}%${from.name}`
}

/** The interface that has the address. */
export function interfaceWith(core: Stack, address: Address): Interface | null {
  return core.interfaces.list.find((one) => one.has(address)) ?? (address.isLoopback ? core.loopback : null)
}
