// Where a socket may be bound before it connects, and whom it means by no address in particular: as Linux has both.
import { type Address, parseAddress } from '../../core/ip/address.ts'
import type { Stack } from '../../core/stack.ts'
import type { ErrorCode } from '../errors.ts'

/** Null where it may. */
export function whyNotBound(core: Stack, address: string, port: number): ErrorCode | null {
  const own = parseAddress(address)
  if (own === null) return 'EINVAL'
  if (!own.isUnspecified && !isOurs(core, own)) return 'EADDRNOTAVAIL'
  return port > 0 && isListenedAt(core, own, port) ? 'EADDRINUSE' : null
}

function isOurs({ interfaces }: Stack, address: Address): boolean {
  return interfaces.isLocal(address) || interfaces.list.some((one) => one.anyAddress)
}

function isListenedAt({ tcp }: Stack, address: Address, port: number): boolean {
  let isTaken = false
  tcp.forEachListener(({ localAddress, localPort }) => {
    if (localPort !== port || localAddress.isIpv4 !== address.isIpv4) return
    if (address.isUnspecified || localAddress.isUnspecified || localAddress.equals(address)) isTaken = true
  })
  return isTaken
}

/** Who connects to no address in particular means this host. */
export function reachable(address: Address): Address {
  if (!address.isUnspecified) return address
  return parseAddress(address.isIpv4 ? '127.0.0.1' : '::1') as Address
}
