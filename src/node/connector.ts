// What undici's Agent, Client and Pool take as `connect`: sockets of a stack. It has the shape that undici asks for and imports nothing of it:
// `new Agent({ connect: stack.connector() })`.
import type { ConnectionOptions } from 'node:tls'
import type { Connect } from './net/net.ts'
import type { StackSocket } from './net/socket.ts'
import type { Tls } from './tls.ts'

/** Beside these, all that `tls.connect` takes. */
export interface ConnectorOptions extends Omit<ConnectionOptions, 'timeout'> {
  /** Offers HTTP/2 in TLS. */
  allowH2?: boolean
  /** Milliseconds until the connection must stand: ten seconds when not given; 0 for no limit. */
  timeout?: number | null
  /** On when not given. */
  keepAlive?: boolean
  /** Milliseconds: a minute when not given. */
  keepAliveInitialDelay?: number
}

/** What undici says of where it wants to go. */
export interface ConnectorTarget {
  hostname: string
  host?: string
  protocol: string
  port: string
  servername?: string
  localAddress?: string | null
  /** A tunnel that a proxy has opened. */
  // biome-ignore lint/suspicious/noExplicitAny: undici has it as a socket of Node's
  httpSocket?: any
}

// biome-ignore lint/suspicious/noExplicitAny: undici wants sockets of Node's, and has arguments of its own for failure and success
export type ConnectorCallback = (...args: any[]) => void
export type Connector = (target: ConnectorTarget, callback: ConnectorCallback) => void

const TIMEOUT = 10_000
const KEEP_ALIVE_DELAY = 60_000

export function createConnector(connect: Connect, tls: () => Tls, options: ConnectorOptions): Connector {
  const { allowH2 = false, timeout, keepAlive = true, keepAliveInitialDelay = KEEP_ALIVE_DELAY, ...rest } = options
  return ({ hostname, host, protocol, port, servername, localAddress, httpSocket }, callback) => {
    const isSecure = protocol === 'https:'
    const target = {
      ...rest,
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port) || (isSecure ? 443 : 80),
      localAddress: localAddress ?? undefined,
    }
    const ALPNProtocols = allowH2 ? ['http/1.1', 'h2'] : ['http/1.1']
    const name = servername || rest.servername || nameOf(host)
    const socket = isSecure
      ? tls().connect({ ...target, servername: name, ALPNProtocols, socket: httpSocket })
      : connect(target)
    if (keepAlive) socket.setKeepAlive(true, keepAliveInitialDelay)
    socket.setNoDelay(true)
    tellOnce(socket as StackSocket, isSecure ? 'secureConnect' : 'connect', timeout ?? TIMEOUT, hostname, callback)
  }
}

/** Of a Host field, unless it is an address. */
function nameOf(host: string | undefined): string | undefined {
  const name = host?.replace(/:\d*$/, '')
  return name && /[a-z]/i.test(name) && !name.includes(':') ? name : undefined
}

function tellOnce(
  socket: StackSocket,
  event: 'connect' | 'secureConnect',
  timeout: number,
  hostname: string,
  callback: ConnectorCallback,
): void {
  let isTold = false
  const timer = timeout > 0 ? setTimeout(() => socket.destroy(tooSlow(hostname, timeout)), timeout).unref() : undefined
  const tell = (error: Error | null) => {
    clearTimeout(timer)
    if (isTold) return
    isTold = true
    if (error) callback(error, null)
    else callback(null, socket)
  }
  socket.once(event, () => tell(null))
  socket.on('error', tell)
}

/** By the name and code of undici's own, which programs look for. */
function tooSlow(hostname: string, timeout: number): Error {
  const error = new Error(`no connection to ${hostname} within ${timeout} ms`)
  return Object.assign(error, { name: 'ConnectTimeoutError', code: 'UND_ERR_CONNECT_TIMEOUT' })
}
