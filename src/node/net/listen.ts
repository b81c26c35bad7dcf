// What `server.listen` may be given: `([port[, host]][, backlog][, callback])` or `(options[, callback])`. Paths, handles and descriptors
// are things of the kernel: they get an error that says so.
import type { Interface } from '../../core/ip/interface.ts'
import { checkPort, checkSignal } from '../arguments.ts'
import { codedError, invalidArgValue } from '../errors.ts'
import { type AnyOptions, type Callback, isPath, sortArguments, toNumber } from './call-arguments.ts'
import { noPipes } from './connect.ts'

export interface ListenOptions {
  /** One that is free when not given; with an interface, all of them. */
  port?: number | string | null
  /** Everybody's address when not given. */
  host?: string
  backlog?: number
  ipv6Only?: boolean
  reusePort?: boolean
  exclusive?: boolean
  signal?: AbortSignal
  /** Whatever comes by this interface, to whichever address: for one that takes every destination. */
  interface?: string | Interface
}

export interface ListenTarget {
  /** 0 for one that is free; with an interface, for all of them. */
  port: number
  host: string | undefined
  backlog: number | undefined
  ipv6Only: boolean
  reusePort: boolean
  interface: string | Interface | undefined
}

export interface CheckedListen {
  target: ListenTarget
  callback: Callback | null
  signal: AbortSignal | undefined
}

export function checkListen(args: readonly unknown[]): CheckedListen {
  const [options, callback] = sortArguments(args)
  refuseHandles(options)
  const { signal } = options
  if (signal !== undefined) checkSignal(signal, 'options.signal')
  const backlog = (args.length > 1 && toNumber(args[1])) || (args.length > 2 && toNumber(args[2])) || undefined
  const isBare = args.length === 0 || typeof args[0] === 'function'
  const hasNone = options.port === undefined && ('port' in options || options.interface !== undefined)
  const isAny = isBare || hasNone || options.port === null
  const port = isAny ? 0 : options.port
  if (typeof port !== 'number' && typeof port !== 'string') throw noPort(options)
  const { host, ipv6Only, reusePort, interface: by } = options
  const target = {
    port: checkPort(port, 'options.port'),
    host,
    backlog: options.backlog || backlog,
    // As Node has it: a server for everybody hears both families.
    ipv6Only: Boolean(host && ipv6Only),
    reusePort: Boolean(reusePort),
    interface: by,
  }
  return { target, callback, signal }
}

function refuseHandles(options: AnyOptions): void {
  if (options._handle || options.handle) {
    throw codedError(TypeError, 'ERR_INVALID_HANDLE_TYPE', 'A userspace stack listens on no handle of the kernel')
  }
  if (typeof options.fd === 'number' && options.fd >= 0) {
    throw codedError(TypeError, 'ERR_INVALID_FD_TYPE', 'Unsupported fd type: a userspace stack has no descriptors')
  }
}

function noPort(options: AnyOptions): Error {
  if (options.path && isPath(options.path)) return noPipes(options.path)
  if ('port' in options || 'path' in options) return invalidArgValue('options', options)
  return invalidArgValue('options', options, 'must have the property "port" or "path"')
}
