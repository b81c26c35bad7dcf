// `stack.dgram`: what `node:dgram` exports, on one stack.
import type * as kernel from 'node:dgram'
import { deprecate } from 'node:util'
import { errnoOf } from '../errors.ts'
import type { NetHost } from '../net/host.ts'
import type { DgramSocket } from './socket.ts'
import {
  type DgramSocketConstructor,
  type DgramSocketOptions,
  type MessageListener,
  newHandle,
  socketConstructor,
} from './socket-constructor.ts'
import type { UdpHandle } from './udp-handle.ts'

export interface Dgram {
  readonly Socket: DgramSocketConstructor & typeof kernel.Socket
  createSocket(type: kernel.SocketType | DgramSocketOptions, listener?: MessageListener): DgramSocket
  /** @internal A handle, or libuv's number of an error. */
  _createSocketHandle(
    address: string | null,
    port: number | null,
    type: string,
    fd?: number,
    flags?: number,
  ): UdpHandle | number
}

export function createDgram(host: NetHost): Dgram {
  const Socket = socketConstructor(host)
  return {
    Socket: Socket as Dgram['Socket'],
    createSocket: (type, listener) => new Socket(type, listener),
    _createSocketHandle: deprecate(
      (address, port, type, fd, flags) => {
        const handle = newHandle(host, type)
        const hasFd = Number.isInteger(fd) && (fd as number) > 0
        const errno = hasFd ? errnoOf('EINVAL') : port || address ? handle.bind(address ?? '', port || 0, flags) : 0
        if (errno === 0) return handle
        handle.close()
        return errno
      },
      'dgram._createSocketHandle() is deprecated',
      'DEP0112',
    ),
  }
}
