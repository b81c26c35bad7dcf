// `connect` and `listen` of a stack as web streams, for everywhere: `const { connect, listen } = streamSockets(stack)`.
// Names are whose who makes them: without a `lookup` only addresses and `localhost` have a meaning.
import type { PortableStack } from '../runtime/create-stack.ts'
import { TcpError } from '../runtime/endpoint.ts'
import type { ListenEndpointOptions } from '../runtime/listen-endpoint.ts'
import { SocketError } from './socket-error.ts'
import { judge, type StreamFilter, StreamListener } from './stream-listener.ts'
import { type SocketWorld, StreamSocket, type StreamSocketOptions } from './stream-socket.ts'

/** Whom to connect to: an address or a name, and a port; as text `10.0.0.1:80`, `[fd00::1]:80`, `localhost:80`. */
export type SocketAddressText = string | { hostname: string; port: number }

export interface StreamConnectOptions extends StreamSocketOptions {
  localAddress?: string
  localPort?: number
  /** 'off' is all that there is: TLS needs a library of its own. */
  secureTransport?: 'off'
}

export interface StreamListenOptions
  extends StreamSocketOptions,
    Pick<ListenEndpointOptions, 'interface' | 'ipv6Only' | 'reusePort' | 'backlog'> {
  /** One that is free when not given. */
  port?: number
  /** An address; everybody's when not given. */
  hostname?: string
  /** Asked before any SYN-ACK goes out; free to take its time. */
  filter?: StreamFilter
}

export interface StreamSocketsOptions extends Partial<Pick<SocketWorld, 'hold' | 'close'>> {
  /** The address of a name that is none itself. */
  lookup?: (hostname: string) => string | Promise<string>
}

export interface StreamSockets {
  connect(address: SocketAddressText, options?: StreamConnectOptions): StreamSocket
  listen(options?: StreamListenOptions): StreamListener
}

export function streamSockets(stack: PortableStack, options: StreamSocketsOptions = {}): StreamSockets {
  const { lookup = notFound, hold = () => () => {}, close = (endpoint) => endpoint.close() } = options
  const world: SocketWorld = {
    after: (milliseconds, callback) => stack.driver.time.after(milliseconds, callback),
    hold,
    close,
  }
  return {
    connect: (address, given = {}) => connect(stack, world, lookup, address, given),
    listen: (given = {}) => listen(stack, world, given),
  }
}

function connect(
  stack: PortableStack,
  world: SocketWorld,
  lookup: NonNullable<StreamSocketsOptions['lookup']>,
  address: SocketAddressText,
  options: StreamConnectOptions,
): StreamSocket {
  const { hostname, port } = typeof address === 'string' ? parse(address) : address
  checkPort(port)
  if (options.secureTransport !== undefined && options.secureTransport !== 'off') {
    throw new TypeError(`secureTransport can only be 'off', not '${options.secureTransport}'`)
  }
  const { localAddress, localPort } = options
  const socket = new StreamSocket(world, options)
  const open = (found: string) => {
    if (socket.isOver) return
    try {
      socket.take(stack.connect({ address: found, port, localAddress, localPort }))
    } catch (error) {
      socket.fail(error instanceof TcpError ? new SocketError(error.reason, error.message) : error)
    }
  }
  if (isAddress(hostname)) open(hostname)
  else if (isLocalhost(hostname)) open('127.0.0.1')
  else
    Promise.resolve(hostname)
      .then(lookup)
      .then(open, (error) => socket.fail(error))
  return socket
}

function listen(stack: PortableStack, world: SocketWorld, options: StreamListenOptions): StreamListener {
  const { port = 0, hostname, filter, interface: by, ipv6Only, reusePort, backlog, ...socketOptions } = options
  checkPort(port)
  try {
    const endpoint = stack.listen({
      port,
      address: hostname !== undefined && isLocalhost(hostname) ? '127.0.0.1' : hostname,
      interface: by,
      ipv6Only,
      reusePort,
      backlog,
      onRequest: filter === undefined ? undefined : (request) => void judge(filter, request),
    })
    return new StreamListener(world, endpoint, socketOptions)
  } catch (error) {
    throw error instanceof TcpError ? new SocketError(error.reason, error.message) : error
  }
}

function parse(text: string): { hostname: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text) ?? []
  if (port === undefined)
    throw new TypeError(`'${text}' is not an address with a port, such as 10.0.0.1:80 or [fd00::1]:80`)
  return { hostname: bracketed ?? plain, port: Number(port) }
}

function checkPort(port: unknown): void {
  if (Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535) return
  throw new TypeError(`'${port}' is not a port: a whole number from 0 to 65535`)
}

/** Names have letters beyond hexadecimal ones, or no colons: what has none of them is an address, right or wrong. */
function isAddress(hostname: string): boolean {
  return hostname.includes(':') || /^[\d.]+$/.test(hostname)
}

function isLocalhost(hostname: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(hostname)
}

function notFound(hostname: string): never {
  throw new SocketError('notFound', `no address is known for '${hostname}'`)
}
