// How a socket connects: its name is looked up, each address becomes an attempt, and the first that succeeds is the connection.
// One address is tried as it is; several by turns of family, each for a while (RFC 8305, happy eyeballs), as `autoSelectFamily` has it.
import { ADDRCONFIG } from 'node:dns'
import type { EventEmitter } from 'node:events'
import { type BlockList, isIP, type LookupFunction } from 'node:net'
import { checkFunction, checkNumber, checkPort, checkString } from '../arguments.ts'
import {
  codedError,
  type ErrorCode,
  hostPortException,
  invalidArgType,
  invalidArgValue,
  type SystemError,
} from '../errors.ts'
import type { Lookup, LookupAddress, LookupOptions } from '../resolver.ts'
import type { AnyOptions } from './call-arguments.ts'
import type { FamilyDefaults } from './families.ts'
import type { NetHost } from './host.ts'
import { TcpHandle } from './tcp-handle.ts'

export interface ConnectOptions {
  port: number | string
  /** 'localhost' when not given. */
  host?: string
  localAddress?: string
  localPort?: number
  family?: number | 'IPv4' | 'IPv6'
  hints?: number
  lookup?: Lookup | LookupFunction
  autoSelectFamily?: boolean
  autoSelectFamilyAttemptTimeout?: number
  /** Milliseconds: as `setTimeout`. */
  timeout?: number
  /** Addresses that are not connected to. */
  blockList?: BlockList
}

/** What connecting needs of a socket. */
export interface ConnectingSocket extends EventEmitter {
  connecting: boolean
  destroyed: boolean
  _host: string | null
  _handle: TcpHandle | null
  autoSelectFamilyAttemptedAddresses?: string[]
  destroy(error?: Error): unknown
  /** Takes a handle in the place of one whose attempt has failed. */
  _replaceHandle(handle: TcpHandle): void
  _unrefTimer(): void
  /** The connection stands. */
  _onConnected(): void
}

/** Where a socket connects to and from. */
interface Target {
  port: number
  localAddress: string | undefined
  localPort: number | undefined
  blockList: BlockList | undefined
}

const ANY = { 4: '0.0.0.0', 6: '::' } as const
type Family = keyof typeof ANY

/** The socket has a handle, and says that it is connecting. */
export function connectSocket(
  socket: ConnectingSocket,
  host: NetHost,
  defaults: FamilyDefaults,
  options: AnyOptions,
): void {
  const target = checkTarget(options)
  const mayChoose = defaults.select(options.autoSelectFamily)
  const timeout = defaults.timeout(options.autoSelectFamilyAttemptTimeout)
  const name: string = options.host || 'localhost'
  const family = isIP(name) as Family | 0
  if (family !== 0) {
    process.nextTick(() => {
      if (socket.connecting) attempt(socket, target, name, family)
    })
    return
  }
  if (options.lookup !== undefined && options.lookup !== null) checkFunction(options.lookup, 'options.lookup')
  const lookup = (options.lookup ?? host.lookup) as Lookup
  const wanted = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : options.family
  // As Node asks: for addresses of the families that there are.
  const hints = options.hints || (wanted === 4 || wanted === 6 ? 0 : ADDRCONFIG)
  const asked: LookupOptions = { family: wanted, hints }
  socket._host = name
  if (wanted !== 4 && wanted !== 6 && !target.localAddress && mayChoose) {
    lookup(name, { ...asked, all: true }, (error, found) => {
      onAllFound(socket, host, target, timeout, name, error, found as LookupAddress[])
    })
  } else lookup(name, asked, (error, address, of) => onFound(socket, target, name, error, address as string, of))
}

function checkTarget(options: AnyOptions): Target {
  const { localAddress, localPort, port, blockList } = options
  if (localAddress && isIP(localAddress) === 0) throw invalidAddress(localAddress)
  if (localPort) checkNumber(localPort, 'options.localPort')
  if (port !== undefined) {
    if (typeof port !== 'number' && typeof port !== 'string') {
      throw invalidArgType('options.port', ['number', 'string'], port)
    }
    checkPort(port)
  }
  if (options.host !== undefined && options.host !== null) checkString(options.host, 'options.host')
  return { port: Number(port ?? 0), localAddress, localPort, blockList }
}

function invalidAddress(address: unknown): Error {
  return codedError(TypeError, 'ERR_INVALID_IP_ADDRESS', `Invalid IP address: ${address}`)
}

function invalidFamily(family: unknown, name: string, port: number): Error {
  const message = `Invalid address family: ${family} ${name}:${port}`
  return Object.assign(codedError(RangeError, 'ERR_INVALID_ADDRESS_FAMILY', message), { host: name, port })
}

/** Nobody can listen for errors of a socket that is still being made. */
function failLater(socket: ConnectingSocket, error: Error): void {
  process.nextTick(() => socket.destroy(error))
}

function onFound(
  socket: ConnectingSocket,
  target: Target,
  name: string,
  error: Error | null,
  address: string,
  family: number | undefined,
): void {
  socket.emit('lookup', error, address, family, name)
  if (!socket.connecting) return
  if (error) failLater(socket, error)
  else if (isIP(address) === 0) failLater(socket, invalidAddress(address))
  else if (family !== 4 && family !== 6) failLater(socket, invalidFamily(family, name, target.port))
  else {
    socket._unrefTimer()
    attempt(socket, target, address, family)
  }
}

function onAllFound(
  socket: ConnectingSocket,
  host: NetHost,
  target: Target,
  timeout: number,
  name: string,
  error: Error | null,
  found: LookupAddress[],
): void {
  if (!socket.connecting) return
  if (error) {
    socket.emit('lookup', error, undefined, undefined, name)
    failLater(socket, error)
    return
  }
  for (const { address, family } of found) {
    socket.emit('lookup', null, address, family, name)
    if (!socket.connecting) return
  }
  const addresses = byTurns(found)
  if (addresses.length === 0) {
    const { address, family } = found[0] ?? { address: '', family: 0 }
    failLater(socket, isIP(address) === 0 ? invalidAddress(address) : invalidFamily(family, name, target.port))
    return
  }
  socket._unrefTimer()
  if (addresses.length === 1) attempt(socket, target, addresses[0].address, addresses[0].family as Family)
  else new Attempts(socket, host, target, timeout, addresses).next()
}

/** Each address once, the families by turns, beginning with the first one's. */
function byTurns(found: readonly LookupAddress[]): LookupAddress[] {
  const valid = found.filter(({ address, family }) => isIP(address) !== 0 && (family === 4 || family === 6))
  const unique = valid.filter((one, at) => valid.findIndex((other) => other.address === one.address) === at)
  const first = unique.filter(({ family }) => family === unique[0].family)
  const second = unique.filter(({ family }) => family !== unique[0].family)
  const turns: LookupAddress[] = []
  for (let at = 0; at < Math.max(first.length, second.length); at++) {
    if (at < first.length) turns.push(first[at])
    if (at < second.length) turns.push(second[at])
  }
  return turns
}

/** The one attempt of a socket with one address. */
function attempt(socket: ConnectingSocket, target: Target, address: string, family: Family): void {
  const handle = socket._handle as TcpHandle
  const refusal = begin(socket, handle, target, address, family, (code) => {
    if (socket.destroyed) return
    if (code === null) {
      socket._onConnected()
      return
    }
    const error = connectError(target, address, code)
    socket.emit('connectionAttemptFailed', address, target.port, family, error)
    socket.destroy(error)
  })
  if (refusal !== null) socket.destroy(refusal)
}

/** Why it could not even begin; null where `done` will tell. */
function begin(
  socket: ConnectingSocket,
  handle: TcpHandle,
  target: Target,
  address: string,
  family: Family,
  done: (code: ErrorCode | null) => void,
): Error | null {
  const { port, localPort = 0, localAddress, blockList } = target
  if (blockList?.check(address, `ipv${family}`)) {
    return codedError(Error, 'ERR_IP_BLOCKED', `IP(${address}) is blocked by net.BlockList`)
  }
  if (localAddress || localPort) {
    const local = localAddress || ANY[family]
    const code = isIP(local) === family ? handle.bind(local, localPort) : 'EINVAL'
    if (code !== null) return hostPortException(code, 'bind', local, localPort)
  }
  socket.emit('connectionAttempt', address, port, family)
  handle.oncomplete = done
  const code = handle.connect(address, port)
  if (code === null) return null
  // What it was bound to, or what the kernel says of a socket that is bound to nothing.
  const own: { address?: string; port?: number } = { address: ANY[family], port: 0 }
  handle.getsockname(own)
  return hostPortException(code, 'connect', address, port, `${own.address}:${own.port}`)
}

function connectError(target: Target, address: string, code: ErrorCode): SystemError {
  const { port, localAddress, localPort } = target
  const local = localAddress && localPort ? `${localAddress}:${localPort}` : undefined
  const error = hostPortException(code, 'connect', address, port, local)
  return local === undefined ? error : Object.assign(error, { localAddress, localPort })
}

/** Several addresses, one after another until one answers. */
class Attempts {
  readonly #socket: ConnectingSocket
  readonly #host: NetHost
  readonly #target: Target
  readonly #timeout: number
  readonly #addresses: readonly LookupAddress[]
  readonly #errors: Error[] = []
  #current = 0
  #cancelTimer: (() => void) | null = null

  constructor(
    socket: ConnectingSocket,
    host: NetHost,
    target: Target,
    timeout: number,
    addresses: readonly LookupAddress[],
  ) {
    this.#socket = socket
    this.#host = host
    this.#target = target
    this.#timeout = timeout
    this.#addresses = addresses
    socket.autoSelectFamilyAttemptedAddresses = []
    socket.once('close', () => this.#cancelTimer?.())
  }

  next(): void {
    const socket = this.#socket
    this.#cancelTimer?.()
    this.#cancelTimer = null
    if (!socket.connecting) return
    if (this.#current === this.#addresses.length) {
      socket.destroy(aggregate(this.#errors))
      return
    }
    const number = this.#current++
    if (number > 0) socket._replaceHandle(new TcpHandle(this.#host))
    const handle = socket._handle as TcpHandle
    const { address } = this.#addresses[number]
    const family = this.#addresses[number].family as Family
    const { port } = this.#target
    socket.autoSelectFamilyAttemptedAddresses?.push(`${address}:${port}`)
    const done = (code: ErrorCode | null) => this.#onDone(handle, address, family, code)
    const refusal = begin(socket, handle, this.#target, address, family, done)
    if (refusal !== null) {
      this.#failed(refusal, address, family)
      return
    }
    if (number === this.#addresses.length - 1) return
    this.#cancelTimer = this.#host.driver.time.after(this.#timeout, () => this.#onTimeout(address, family))
  }

  #onDone(handle: TcpHandle, address: string, family: Family, code: ErrorCode | null): void {
    const socket = this.#socket
    if (socket.destroyed || socket._handle !== handle) return
    this.#cancelTimer?.()
    this.#cancelTimer = null
    if (code === null) socket._onConnected()
    else this.#failed(connectError(this.#target, address, code), address, family)
  }

  #onTimeout(address: string, family: Family): void {
    const socket = this.#socket
    if (!socket.connecting) return
    socket.emit('connectionAttemptTimeout', address, this.#target.port, family)
    this.#errors.push(connectError(this.#target, address, 'ETIMEDOUT'))
    this.next()
  }

  #failed(error: Error, address: string, family: Family): void {
    this.#errors.push(error)
    this.#socket.emit('connectionAttemptFailed', address, this.#target.port, family, error)
    this.next()
  }
}

function aggregate(errors: Error[]): Error {
  const all = new AggregateError(errors)
  Object.defineProperty(all, 'code', { value: (errors[0] as SystemError).code, enumerable: true, configurable: true })
  return all
}

/** A path names a pipe, of which a stack has none. */
export function noPipes(path: unknown): Error {
  checkString(path, 'options.path')
  return invalidArgValue('options.path', path, 'names a pipe, which a userspace stack does not have')
}
