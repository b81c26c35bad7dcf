// Errors as Node has them: a system error's code, errno, syscall, address and port; an argument error's code and sentence.
// The only place where the core's reasons get a platform's names. `net` and `dgram` throw and emit nothing else.
import { constants } from 'node:os'
import { getSystemErrorMap, getSystemErrorName, type InspectOptions, inspect } from 'node:util'
import { IcmpErrorKind } from '../core/ip/icmp-error.ts'
import type { CloseReason, TcpError } from '../runtime/endpoint.ts'
import type { UdpError } from '../runtime/udp-endpoint.ts'

/** A name of errno.h. */
export type ErrorCode = keyof typeof constants.errno

/** What a connection came to; null where nothing went wrong. */
export const CODE_OF_REASON: Readonly<Record<CloseReason, ErrorCode | null>> = {
  none: null,
  reset: 'ECONNRESET',
  refused: 'ECONNREFUSED',
  timedOut: 'ETIMEDOUT',
  networkUnreachable: 'ENETUNREACH',
  hostUnreachable: 'EHOSTUNREACH',
  aborted: 'ECONNABORTED',
  noBuffers: 'ENOBUFS',
  protocolUnreachable: 'ENOPROTOOPT',
}

/** Why nothing could even begin. */
export const CODE_OF_RESULT: Readonly<Record<TcpError['reason'], ErrorCode>> = {
  done: 'EINVAL',
  addressInUse: 'EADDRINUSE',
  addressNotAvailable: 'EADDRNOTAVAIL',
  noRoute: 'ENETUNREACH',
  noPort: 'EADDRNOTAVAIL',
  tooMany: 'EMFILE',
  noInterface: 'ENODEV',
  // What is no host's address: a group, a broadcast.
  invalid: 'ENETUNREACH',
  closed: 'ENETDOWN',
}

/** Why a call of a UDP socket was not done. */
export const CODE_OF_UDP_RESULT: Readonly<Record<UdpError['reason'], ErrorCode>> = {
  done: 'EINVAL',
  addressInUse: 'EADDRINUSE',
  addressNotAvailable: 'EADDRNOTAVAIL',
  noRoute: 'ENETUNREACH',
  tooLong: 'EMSGSIZE',
  queueFull: 'EAGAIN',
  notPermitted: 'EACCES',
  notConnected: 'EDESTADDRREQ',
  alreadyBound: 'EINVAL',
  wrongFamily: 'EINVAL',
  closed: 'EBADF',
}

/** What ICMP says of a connected socket's datagrams, as Linux tells it: what may pass by itself is not told. */
export function codeOfIcmpError(kind: number, isIpv4: boolean): ErrorCode | null {
  switch (kind) {
    case IcmpErrorKind.portUnreachable:
      return 'ECONNREFUSED'
    case IcmpErrorKind.protocolUnreachable:
      return 'ENOPROTOOPT'
    case IcmpErrorKind.prohibited:
      return isIpv4 ? 'EHOSTUNREACH' : 'EACCES'
    case IcmpErrorKind.parameterProblem:
      return 'EPROTO'
    default:
      return null
  }
}

export interface SystemError extends Error {
  code: string
  errno: number
  syscall: string
  address?: string
  port?: number
}

/** As libuv has them: below zero. */
export function errnoOf(code: ErrorCode): number {
  return -constants.errno[code]
}

export function sentenceOf(code: ErrorCode): string {
  return getSystemErrorMap().get(errnoOf(code))?.[1] ?? code
}

function systemError(message: string, code: string, syscall: string, errno: number): SystemError {
  const error = new Error(message) as SystemError
  Error.captureStackTrace?.(error, systemError)
  error.errno = errno
  error.code = code
  error.syscall = syscall
  return error
}

/** `read ECONNRESET` */
export function errnoException(code: ErrorCode, syscall: string): SystemError {
  return systemError(`${syscall} ${code}`, code, syscall, errnoOf(code))
}

/** `bind EADDRINUSE 127.0.0.1:53`, of a number that a handle has answered with. */
export function exceptionOf(
  errno: number,
  syscall: string,
  address?: string | null,
  port?: number | null,
): SystemError {
  const code = getSystemErrorName(errno)
  const message = `${syscall} ${code}${hostPort(address ?? undefined, port ?? undefined)}`
  return withHostPort(systemError(message, code, syscall, errno), address ?? undefined, port ?? undefined)
}

/** What a handle tells of a call that it could not do. */
export interface SystemErrorInfo {
  errno: number
  code: string
  message: string
  syscall: string
}

/** `Could not get or set buffer size: uv_recv_buffer_size returned EBADF (bad file descriptor)` */
export function bufferSizeError(info: SystemErrorInfo): Error {
  const { code, message, syscall } = info
  const sentence = `Could not get or set buffer size: ${syscall} returned ${code} (${message})`
  const error = codedError(BufferSizeError, 'ERR_SOCKET_BUFFER_SIZE', sentence)
  error.stack = error.stack?.replace(/^\w+/, 'SystemError')
  Object.defineProperty(error, 'name', { value: 'SystemError', writable: true, configurable: true })
  Object.defineProperty(error, 'info', { value: info, enumerable: true, configurable: true })
  // As Node has them: another way to what `info` says.
  for (const key of ['errno', 'syscall'] as const) {
    const set = (value: never) => {
      info[key] = value
    }
    Object.defineProperty(error, key, { get: () => info[key], set, enumerable: true, configurable: true })
  }
  return error
}

/** Node's `SystemError`, which shows itself whole. */
class BufferSizeError extends Error {
  [inspect.custom](_depth: number, options: InspectOptions): string {
    return inspect(this, { ...options, getters: true, customInspect: false })
  }
}

function withHostPort(error: SystemError, address: string | undefined, port: number | undefined): SystemError {
  if (address) error.address = address
  if (port) error.port = port
  return error
}

function hostPort(address: string | undefined, port: number | undefined): string {
  if (port && port > 0) return ` ${address}:${port}`
  return address ? ` ${address}` : ''
}

/** `connect ECONNREFUSED 127.0.0.1:80 - Local (10.0.0.1:40000)` */
export function hostPortException(
  code: ErrorCode,
  syscall: string,
  address?: string,
  port?: number,
  local?: string,
): SystemError {
  const more = local === undefined ? '' : ` - Local (${local})`
  const message = `${syscall} ${code}${hostPort(address, port)}${more}`
  return withHostPort(systemError(message, code, syscall, errnoOf(code)), address, port)
}

/** `listen EADDRINUSE: address already in use :::80` */
export function listenException(code: ErrorCode, syscall: string, address?: string, port?: number): SystemError {
  const message = `${syscall} ${code}: ${sentenceOf(code)}${hostPort(address, port)}`
  return withHostPort(systemError(message, code, syscall, errnoOf(code)), address, port)
}

/** As `dns.lookup` fails. */
export function lookupException(code: string, hostname: string): Error {
  const error = new Error(`getaddrinfo ${code} ${hostname}`)
  // Names fail with numbers of their own, which libuv takes from getaddrinfo: -3008 for ENOTFOUND.
  const errno = [...getSystemErrorMap()].find(([, [name]]) => name === `EAI_${code.slice(1)}`)?.[0] ?? -3008
  return Object.assign(error, { errno, code, syscall: 'getaddrinfo', hostname })
}

// Errors of Node itself.

type AnyError = Error & { code: string }

/** An error with Node's code, which its stack shows beside the name. */
export function codedError(Base: new (message: string) => Error, code: string, message: string): AnyError {
  const error = new Base(message) as AnyError
  Error.captureStackTrace?.(error, codedError)
  error.stack = error.stack?.replace(/^\w+/, (name) => `${name} [${code}]`)
  Object.defineProperty(error, 'code', { value: code, enumerable: true, writable: true, configurable: true })
  Object.defineProperty(error, 'toString', { value: showCoded, writable: true, configurable: true })
  return error
}

function showCoded(this: AnyError): string {
  return `${this.name} [${this.code}]: ${this.message}`
}

/** How Node's sentences describe what they got. */
function received(value: unknown): string {
  if (value === null || value === undefined) return ` ${value}`
  if (typeof value === 'function') return ` function ${value.name}`
  if (typeof value === 'object') {
    const name = value.constructor?.name
    return name ? ` an instance of ${name}` : ` ${inspect(value, { depth: -1 })}`
  }
  let shown = inspect(value, { colors: false })
  if (shown.length > 28) shown = `${shown.slice(0, 25)}...`
  return ` type ${typeof value} (${shown})`
}

function subject(name: string): string {
  return `"${name}" ${name.includes('.') ? 'property' : 'argument'}`
}

const PRIMITIVES = ['string', 'function', 'number', 'object', 'boolean', 'bigint', 'symbol']

export function invalidArgType(name: string, expected: readonly string[], value: unknown): AnyError {
  const types = expected.filter((one) => PRIMITIVES.includes(one.toLowerCase())).map((one) => one.toLowerCase())
  const instances = expected.filter((one) => !PRIMITIVES.includes(one.toLowerCase()))
  const parts: string[] = []
  if (types.length > 0) parts.push(`${types.length > 1 ? 'one of type' : 'of type'} ${listed(types)}`)
  if (instances.length > 0) parts.push(`an instance of ${listed(instances)}`)
  const message = `The ${subject(name)} must be ${parts.join(' or ')}. Received${received(value)}`
  return codedError(TypeError, 'ERR_INVALID_ARG_TYPE', message)
}

function listed(words: readonly string[]): string {
  if (words.length < 3) return words.join(' or ')
  return `${words.slice(0, -1).join(', ')}, or ${words.at(-1)}`
}

export function invalidArgValue(name: string, value: unknown, reason = 'is invalid'): AnyError {
  let shown = inspect(value)
  if (shown.length > 128) shown = `${shown.slice(0, 128)}...`
  const kind = name.includes('.') ? 'property' : 'argument'
  const message = `The ${kind} '${name}' ${reason}. Received ${shown}`
  return codedError(TypeError, 'ERR_INVALID_ARG_VALUE', message)
}

/** Of an argument that can't be left out. */
export function missingArgument(name: string): AnyError {
  return codedError(TypeError, 'ERR_MISSING_ARGS', `The "${name}" argument must be specified`)
}

export function outOfRange(name: string, range: string, value: unknown): AnyError {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${inspect(value)}`
  return codedError(RangeError, 'ERR_OUT_OF_RANGE', message)
}

export function badPort(name: string, value: unknown, least: '>' | '>=' = '>='): AnyError {
  const message = `${name} should be ${least} 0 and < 65536. Received${received(value)}.`
  return codedError(RangeError, 'ERR_SOCKET_BAD_PORT', message)
}
