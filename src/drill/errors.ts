// Errors as system calls name them, and what the stack's own reasons are called there.
import type { CloseReason } from '../runtime/endpoint.ts'

/** Linux's numbers: what stands in `[ECONNRESET]` beside SO_ERROR. */
export const ERRNO: Readonly<Record<string, number>> = {
  EPERM: 1,
  EINTR: 4,
  EIO: 5,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EINVAL: 22,
  EPIPE: 32,
  EDESTADDRREQ: 89,
  EMSGSIZE: 90,
  EPROTOTYPE: 91,
  ENOPROTOOPT: 92,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  EINPROGRESS: 115,
}

export const CLOSE_ERRORS: Readonly<Record<CloseReason, string | null>> = {
  none: null,
  aborted: 'ECONNABORTED',
  reset: 'ECONNRESET',
  refused: 'ECONNREFUSED',
  timedOut: 'ETIMEDOUT',
  networkUnreachable: 'ENETUNREACH',
  hostUnreachable: 'EHOSTUNREACH',
  noBuffers: 'ENOBUFS',
  protocolUnreachable: 'EPROTO',
}

/** Reasons of `TcpError` and `UdpError`. */
export const OPEN_ERRORS: Readonly<Record<string, string>> = {
  addressInUse: 'EADDRINUSE',
  addressNotAvailable: 'EADDRNOTAVAIL',
  noRoute: 'ENETUNREACH',
  noPort: 'EADDRNOTAVAIL',
  tooMany: 'ENOBUFS',
  noInterface: 'ENODEV',
  invalid: 'EINVAL',
  tooLong: 'EMSGSIZE',
  queueFull: 'EAGAIN',
  notPermitted: 'EACCES',
  notConnected: 'EDESTADDRREQ',
  alreadyBound: 'EINVAL',
  wrongFamily: 'EAFNOSUPPORT',
  closed: 'EBADF',
}

/** By the value of `IcmpErrorKind`: what a connected UDP socket is told. */
export const ICMP_ERRORS: readonly (string | null)[] = [
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENOPROTOOPT',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EMSGSIZE',
  'EHOSTUNREACH',
  'EPROTO',
]
