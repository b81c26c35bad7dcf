// `net` and `tls` on simulated hosts. A socket belongs to the host in whose context `connect` or `listen` is called. Node's functions do
// their work; what is put in their way is only which handle they do it with.
import net, { type Server, type Socket } from 'node:net'
import tls from 'node:tls'
import { binding, symbolOf } from './bindings.ts'
import { HostedTcp, ownerSymbol } from './handle.ts'
import { HostedListener } from './listener.ts'
import type { Patches } from './patches.ts'
import { hostScope } from './scope.ts'

interface SocketInside extends Socket {
  _handle: { close(): void } | null
  _reset(): void
}

interface ConnectTarget {
  path?: unknown
}

export function patchSockets(patches: Patches): void {
  const { TCP } = binding('tcp_wrap') as unknown as { TCP: new (type: number) => object }
  const { prototype } = net.Socket
  patches.replace(prototype, 'connect', (connect) => {
    return function (this: SocketInside, ...args: unknown[]) {
      takeHandle(this, args)
      return Reflect.apply(connect, this, args)
    }
  })
  patches.replace(prototype, 'resetAndDestroy', (resetAndDestroy) => {
    return function (this: SocketInside) {
      if (!(this._handle instanceof HostedTcp)) return Reflect.apply(resetAndDestroy, this, [])
      if (this.connecting) this.once('connect', () => this._reset())
      else this._reset()
      return this
    }
  })
  patchReinitialize(patches, TCP)
  patchTls(patches)
  patches.replace(net.Server.prototype, '_listen2', (listen2) => {
    return function (this: Server & { _handle: object | null }, ...args: unknown[]) {
      const [address, port, , , fd, flags] = args as [string | null, number, number, number, number | undefined, number]
      const scope = hostScope()
      const isPipe = port === -1
      if (scope !== undefined && this._handle === null && !isPipe && !(typeof fd === 'number' && fd >= 0)) {
        this._handle = new HostedListener(scope, { address: address || null, port, flags: flags ?? 0 })
        // What Node says in its messages, and in `_connectionKey`.
        if (!address) [args[0], args[2]] = ['::', 6]
      }
      return Reflect.apply(listen2, this, args)
    }
  })
}

/** A socket that is about to connect gets a handle of its host, unless it has one, or goes to a UNIX socket. */
function takeHandle(socket: SocketInside, args: readonly unknown[]): void {
  const scope = hostScope()
  if (scope === undefined) return
  const first = args[0] as ConnectTarget | ConnectTarget[] | string | null
  const target = Array.isArray(first) ? first[0] : first
  const isPipe =
    typeof target === 'object' ? Boolean(target?.path) : typeof target === 'string' && !(Number(target) >= 0)
  if (isPipe || (socket._handle !== null && !socket.destroyed)) return
  const reinitialize = symbolOf(socket, 'kReinitializeHandle')
  // Before Node looks: a destroyed socket may connect again.
  if (socket.destroyed) socket._handle = null
  if (reinitialize === undefined)
    throw new Error(`tunstack/simulate does not know the sockets of Node ${process.version}`)
  ;(socket as unknown as Record<symbol, (handle: object) => void>)[reinitialize](new HostedTcp(scope))
}

/** Where Node tries the next address it brings a new handle of the kernel's. */
function patchReinitialize(patches: Patches, TCP: new (type: number) => object): void {
  for (const { prototype } of [net.Socket, tls.TLSSocket]) {
    const symbol = Object.getOwnPropertySymbols(prototype).find(
      ({ description }) => description === 'kReinitializeHandle',
    )
    if (symbol === undefined) continue
    patches.replace(prototype, symbol, (reinitialize) => {
      return function (this: SocketInside, handle: { close(): void }) {
        const before = hosted(this._handle)
        if (before === null || !(handle instanceof TCP)) return Reflect.apply(reinitialize, this, [handle])
        handle.close()
        return Reflect.apply(reinitialize, this, [new HostedTcp(before.scope)])
      }
    })
  }
}

function patchTls(patches: Patches): void {
  const { prototype } = tls.TLSSocket
  patches.replace(prototype, '_wrapHandle', (wrapHandle) => {
    return function (this: SocketInside & { _tlsOptions?: { pipe?: boolean } }, ...args: unknown[]) {
      const scope = hostScope()
      if (!args[1] && scope !== undefined && !this._tlsOptions?.pipe) {
        const handle = new HostedTcp(scope)
        Reflect.set(handle, ownerSymbol(), this)
        args[1] = handle
      }
      if (args[1] instanceof HostedTcp) args[1].tlsOwner = this
      return Reflect.apply(wrapHandle, this, args)
    }
  })
}

/** The host's handle below a socket's, with or without TLS. */
export function hosted(handle: unknown): HostedTcp | null {
  if (handle instanceof HostedTcp) return handle
  const parent = (handle as { _parent?: unknown } | null)?._parent
  return parent instanceof HostedTcp ? parent : null
}
