// One extension of Node: TLS and HTTP/2 over a socket that is no kernel's go through a handle of Node's, JSStream, which knows nothing
// of addresses or options. Its prototype gets what a TCP handle has, forwarded to the stack's socket below, so that
// `remoteAddress`, `setNoDelay`, `setKeepAlive`, `ref` and `unref` are right on top. Over any other stream nothing changes.
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import { Duplex } from 'node:stream'
import { BaseSocket } from './net/base-socket.ts'
import type { SocketName } from './net/host.ts'
import type { StackSocket } from './net/socket.ts'

interface JsStream {
  [symbol: symbol]: { stream?: unknown; constructor: JsStreamSocketConstructor } | undefined
}

/** A socket of Node's over any stream. */
type JsStreamSocketConstructor = new (stream: Duplex) => OpeningSocket
type OpeningSocket = { -readonly [Key in keyof Socket]: Socket[Key] }

/** What a TLS socket stands on: another handle, where the socket below it is no kernel's. */
interface TlsSocketShape {
  _handle: { _parent: JsStream } | null
  destroy(): unknown
}

let socketClass: JsStreamSocketConstructor | null | undefined

/** Once a process; costs about 3 ms. Where Node has another shape nothing is changed. */
export function extendJsStream({ TLSSocket }: typeof import('node:tls')): void {
  if (socketClass !== undefined) return
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  // With `ca` Node does not read its list of authorities.
  const socket = new TLSSocket(stream, { ca: [] }) as unknown as TlsSocketShape
  const handle = socket._handle?._parent
  const owner = handle && Object.getOwnPropertySymbols(handle).find(({ description }) => description === 'owner_symbol')
  if (handle && owner) extend(Object.getPrototypeOf(handle), owner)
  socketClass = (handle && owner && handle[owner]?.constructor) ?? null
  socket.destroy()
}

/** What Node would make itself of a stack's socket, but one that knows when it is connected. */
export function jsStreamSocket(below: StackSocket): Duplex {
  if (!socketClass) return below
  const socket = new socketClass(below)
  connectWith(socket, below)
  return socket
}

/** A socket that opens when the one below it does, as Node has it where both are its own. */
export function connectWith(socket: OpeningSocket, below: StackSocket): void {
  socket.connecting = true
  below.once('connect', () => {
    socket.connecting = false
    // Whoever asked before has been given none, and Node keeps that.
    Reflect.set(socket, '_sockname', null)
    socket.emit('connect')
    socket.emit('ready')
  })
}

function extend(prototype: object, owner: symbol): void {
  const below = (handle: JsStream): StackSocket | null => {
    const stream = handle[owner]?.stream
    return stream instanceof BaseSocket ? (stream as StackSocket) : null
  }
  const methods: Record<string, (this: JsStream, ...args: never[]) => unknown> = {
    getpeername(name: SocketName) {
      return fill(name, below(this)?._getpeername())
    },
    getsockname(name: SocketName) {
      return fill(name, below(this)?._getsockname())
    },
    setNoDelay(isOn: boolean) {
      below(this)?.setNoDelay(isOn)
      return 0
    },
    /** Handles count in seconds. */
    setKeepAlive(isOn: boolean, seconds: number) {
      below(this)?.setKeepAlive(isOn, seconds * 1000)
      return 0
    },
    ref() {
      below(this)?.ref()
    },
    unref() {
      below(this)?.unref()
    },
  }
  for (const [name, value] of Object.entries(methods)) {
    if (!(name in prototype)) Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
  }
}

/** As a handle answers: 0, or why there is no name. */
function fill(name: SocketName, found: SocketName | undefined): number {
  if (found?.address === undefined) return -constants.errno.ENOTCONN
  Object.assign(name, found)
  return 0
}
