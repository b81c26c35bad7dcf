// What a datagram socket keeps of itself. It stands under Node's own symbol and has the names that stand there in Node, since tracers and
// tests look there.
import * as kernel from 'node:dgram'
import type { BlockList } from 'node:net'
import type { UdpHandle } from './udp-handle.ts'

export const BindState = { unbound: 0, binding: 1, bound: 2 } as const
export const ConnectState = { disconnected: 0, connecting: 1, connected: 2 } as const

export interface SocketState {
  /** Null once it is closed. */
  handle: UdpHandle | null
  receiving: boolean
  bindState: number
  connectState: number
  /** What waits until the socket is bound. */
  queue: (() => void)[] | undefined
  readonly reuseAddr: boolean | undefined
  readonly reusePort: boolean | undefined
  readonly ipv6Only: boolean | undefined
  readonly recvBufferSize: number | undefined
  readonly sendBufferSize: number | undefined
  readonly receiveBlockList: BlockList | undefined
  readonly sendBlockList: BlockList | undefined
}

/** Node does not export its symbol. `ref` reads the state first, and does nothing where there is no handle. */
function findSymbol(): symbol {
  let found = Symbol('state symbol')
  const spy = new Proxy(
    {},
    {
      get(_, key) {
        if (typeof key === 'symbol') found = key
        return {}
      },
    },
  )
  Reflect.apply(kernel.Socket.prototype.ref, spy, [])
  return found
}

export const kState: unique symbol = findSymbol() as never
