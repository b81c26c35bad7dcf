// Groups that a socket joins and leaves, and the interface that it sends to groups by, named as Node's calls name them.
// Each answers 0, or a number of libuv's, by the rules of Linux.
import { type Address, parseAddress } from '../../core/ip/address.ts'
import type { Interface } from '../../core/ip/interface.ts'
import type { Stack } from '../../core/stack.ts'
import { UdpResult, type UdpSocket } from '../../core/udp/socket.ts'
import { type ErrorCode, errnoOf } from '../errors.ts'
import { interfaceWith, parseScoped } from './scoped-address.ts'

export type Change = 'join' | 'leave'

/** `by` is an IPv4 interface's address, or an IPv6 address of whose zone alone matters; without one the route to the group decides. */
export function changeMembership(
  core: Stack,
  socket: UdpSocket,
  change: Change,
  groupText: string,
  by: string | null,
  sourceText: string | null = null,
): number {
  const group = parseAddress(groupText)
  const source = sourceText === null ? null : parseAddress(sourceText)
  if (group === null || (sourceText !== null && source === null)) return errnoOf('EINVAL')
  if (!group.isIpv4 && !socket.isIpv6) return errnoOf('ENOPROTOOPT')
  const device = deviceOf(core, group, by)
  if (typeof device === 'string') return errnoOf(device)
  if (!group.isMulticast && (change === 'join' || source !== null)) return errnoOf('EINVAL')
  const result = socket[change](group, device, source)
  return result === UdpResult.done ? 0 : errnoOf(codeOf(change, source !== null))
}

function codeOf(change: Change, isFromSource: boolean): ErrorCode {
  if (change === 'join') return isFromSource ? 'EADDRNOTAVAIL' : 'EADDRINUSE'
  return isFromSource ? 'EINVAL' : 'EADDRNOTAVAIL'
}

function deviceOf(core: Stack, group: Address, by: string | null): Interface | ErrorCode {
  const wanted = by === null ? null : parseScoped(core, by, !group.isIpv4)
  if (by !== null && wanted === null) return 'EINVAL'
  if (wanted?.interface) return wanted.interface
  if (wanted === null || wanted.address.isUnspecified || !group.isIpv4) {
    return core.interfaces.route(group)?.interface ?? 'ENODEV'
  }
  return interfaceWith(core, wanted.address) ?? 'ENODEV'
}

export function setMulticastInterface(core: Stack, socket: UdpSocket | null, text: string): number {
  const isIpv6 = text.includes(':')
  const wanted = parseScoped(core, text, isIpv6)
  if (wanted === null) return errnoOf('EINVAL')
  if (socket === null) return errnoOf('EBADF')
  if (isIpv6 && !socket.isIpv6) return errnoOf('ENOPROTOOPT')
  if (isIpv6 || wanted.address.isUnspecified) {
    socket.multicastInterface = wanted.interface
    return 0
  }
  const found = interfaceWith(core, wanted.address)
  if (found === null) return errnoOf('EADDRNOTAVAIL')
  socket.multicastInterface = found
  return 0
}
