// A UDP socket as Node's internal handle has it: calls answer 0 or libuv's number of an error, datagrams are told by `onmessage` in the
// handle's own async context, one a callback of the event loop as libuv's are, so that promises settle between two of them.
// Stands on the endpoint, which is opened by the first call that needs it, as a descriptor would be. Wakes come from the driver's turn.
import { AsyncResource } from 'node:async_hooks'
import { setImmediate } from 'node:timers'
import { type Address, unspecified } from '../../core/ip/address.ts'
import type { Datagram } from '../../core/ip/datagram-queue.ts'
import { UdpResult, type UdpSocket } from '../../core/udp/socket.ts'
import { UdpEndpoint, udpReason } from '../../runtime/udp-endpoint.ts'
import { CODE_OF_UDP_RESULT, codeOfIcmpError, type ErrorCode, errnoOf, type SystemErrorInfo } from '../errors.ts'
import { reachable } from '../net/bind.ts'
import type { NetHost, SocketName } from '../net/host.ts'
import { bufferSize } from './buffer-size.ts'
import { type Change, changeMembership, setMulticastInterface } from './memberships.ts'
import { Octets } from './octets.ts'
import { parseScoped, type ScopedAddress, showScoped } from './scoped-address.ts'
import { type SendRequest, SendRequests } from './send-requests.ts'

export interface RemoteInfo {
  address: string
  family: 'IPv4' | 'IPv6'
  port: number
  size: number
}

export type HandleLookup = (
  address: string,
  callback: (error: Error | null, address: string, family?: number) => void,
) => void

/** Of `bind`. The first two are libuv's. */
export const BindFlag = { ipv6Only: 1, reuseAddress: 4, reusePort: 8 } as const

/** Datagrams handed over between two looks at what else there is. */
const AT_ONCE = 64
/** So many wait for the loop to go round. `send` calls back in a tick: who sends again in it lets no turn come, and a kernel would send all the same. */
const MOST_WAITING = 64

export class UdpHandle {
  onmessage: ((size: number, handle: UdpHandle, octets?: Buffer, from?: RemoteInfo) => void) | null = null
  onerror: ((size: number, handle: UdpHandle, error: Error) => void) | null = null
  lookup: HandleLookup
  owner: { close(): unknown } | null = null
  /** There are no descriptors here. */
  readonly fd = -1
  readonly #host: NetHost
  readonly #isIpv6: boolean
  readonly #resource = new AsyncResource('TUNSTACKUDP')
  readonly #octets = new Octets()
  readonly #requests = new SendRequests()
  readonly #deliverNext = () => this.#onImmediate()
  readonly #leave = () => {
    this.#isLeaving = false
    this.#host.driver.flush()
  }
  #endpoint: UdpEndpoint | null = null
  #letGo: (() => void) | null = null
  #immediates = 0
  #isReceiving = false
  #isLeaving = false
  #isRef = true
  #isClosed = false
  /** Where the last datagram came from, and went to: mostly the next one's too. */
  #from: { address: Address; by: number; text: string } | null = null
  #to: { text: string; parsed: ScopedAddress } | null = null

  constructor(host: NetHost, isIpv6: boolean, lookup: HandleLookup) {
    this.#host = host
    this.#isIpv6 = isIpv6
    this.lookup = lookup
  }

  get #socket(): UdpSocket | null {
    return this.#endpoint?.socket ?? null
  }

  #open(): UdpSocket {
    const { core, driver } = this.#host
    if (this.#endpoint === null) {
      this.#endpoint = new UdpEndpoint(core.udp.open(this.#isIpv6), driver)
      this.#endpoint.socket.owner = this
    }
    return this.#endpoint.socket
  }

  getAsyncId(): number {
    return this.#resource.asyncId()
  }

  // Binding and connecting.

  bind(address: string, port: number, flags = 0): number {
    if (this.#isClosed) return errnoOf('EBADF')
    const parsed = parseScoped(this.#host.core, address, this.#isIpv6)
    if (parsed === null) return errnoOf('EINVAL')
    const socket = this.#open()
    if (socket.isBound) return errnoOf('EINVAL')
    socket.isIpv6Only = (flags & BindFlag.ipv6Only) !== 0
    socket.isReuseAddress = (flags & BindFlag.reuseAddress) !== 0
    socket.isReuse = (flags & BindFlag.reusePort) !== 0
    if (parsed.address.isLinkLocal && parsed.interface !== null) socket.device = parsed.interface
    return numberOf(socket.bind(parsed.address, port & 0xffff))
  }

  /** As libuv's calls that need a descriptor which is bound. */
  #bindAnywhere(flags: number): number {
    if (this.#isClosed) return errnoOf('EBADF')
    if (this.#socket?.isBound) return 0
    return this.bind(this.#isIpv6 ? '::' : '0.0.0.0', 0, flags)
  }

  connect(address: string, port: number): number {
    const bound = this.#bindAnywhere(0)
    if (bound !== 0) return bound
    const to = this.#destination(address)
    if (to === null) return errnoOf('EINVAL')
    return numberOf(this.#open().connect(to.address, port, to.interface))
  }

  disconnect(): number {
    const socket = this.#socket
    if (socket === null) return errnoOf('EBADF')
    if (!socket.isConnected) return errnoOf('ENOTCONN')
    socket.disconnect()
    return 0
  }

  getsockname(name: SocketName): number {
    const socket = this.#socket
    if (socket === null) return errnoOf('EBADF')
    this.#fill(name, socket.local, socket.localPort, socket.device?.index ?? -1)
    return 0
  }

  getpeername(name: SocketName): number {
    const socket = this.#socket
    if (socket === null) return errnoOf('EBADF')
    if (!socket.isConnected) return errnoOf('ENOTCONN')
    const route = socket.remote.isLinkLocal ? this.#host.core.interfaces.route(socket.remote) : null
    this.#fill(name, socket.remote, socket.remotePort, route?.interface.index ?? -1)
    return 0
  }

  #fill(name: SocketName, address: Address, port: number, by: number): void {
    const isWild = address.isUnspecified && !this.#isIpv6
    name.address = showScoped(this.#host.core, isWild ? unspecified(true) : address, this.#isIpv6, by)
    name.family = this.#isIpv6 ? 'IPv6' : 'IPv4'
    name.port = port
  }

  // Sending.

  /** To an address, `(request, parts, count, port, address, isAwaited)`, or to the peer, `(request, parts, count, isAwaited)`. */
  send(
    request: SendRequest,
    parts: readonly NodeJS.ArrayBufferView[],
    _count: number,
    port: number | boolean,
    address?: string,
  ): number {
    if (this.#isClosed) return errnoOf('EBADF')
    const isToPeer = typeof port !== 'number'
    const to = isToPeer ? null : this.#destination(address as string)
    if (to === null && !isToPeer) return errnoOf('EINVAL')
    const octets = this.#octets.take(parts)
    if (this.#requests.count === 0) {
      const code = this.#sendNow(octets, octets.length, to, isToPeer ? 0 : port)
      if (code !== 'EAGAIN') return code === null ? octets.length + 1 : errnoOf(code)
    }
    this.#requests.add(request, octets, to, isToPeer ? 0 : port)
    this.#open().isAwaited = true
    this.#updateHold()
    return 0
  }

  #sendNow(octets: Octets, length: number, to: ScopedAddress | null, port: number): ErrorCode | null {
    const socket = this.#open()
    const result = socket.send(octets, octets.offset, length, to?.address ?? null, port, null, 0, to?.interface ?? null)
    if (result !== UdpResult.done) return CODE_OF_UDP_RESULT[udpReason(result)]
    this.#host.driver.request()
    if (socket.outgoing.waiting.count >= MOST_WAITING && !this.#isLeaving) {
      this.#isLeaving = true
      process.nextTick(this.#leave)
    }
    return null
  }

  #destination(text: string): ScopedAddress | null {
    if (this.#to?.text === text) return this.#to.parsed
    const parsed = parseScoped(this.#host.core, text, this.#isIpv6)
    if (parsed === null) return null
    const to = { address: reachable(parsed.address), interface: parsed.interface }
    this.#to = { text, parsed: to }
    return to
  }

  #sendWaiting(): void {
    const requests = this.#requests
    const socket = this.#open()
    while (requests.first !== null) {
      const { octets, to, port } = requests.first
      const code = this.#sendNow(octets, octets.length, to, port)
      if (code === 'EAGAIN') {
        socket.isAwaited = true
        break
      }
      requests.complete(code === null ? 0 : errnoOf(code))
    }
    this.#updateHold()
  }

  getSendQueueSize(): number {
    return this.#requests.octets
  }

  getSendQueueCount(): number {
    return this.#requests.count
  }

  // Receiving.

  recvStart(): number {
    const bound = this.#bindAnywhere(0)
    if (bound !== 0) return bound
    this.#isReceiving = true
    this.#updateHold()
    if ((this.#socket?.received.count ?? 0) > 0) this.#deliverLater()
    return 0
  }

  recvStop(): number {
    this.#isReceiving = false
    this.#updateHold()
    return 0
  }

  wake(): void {
    const socket = this.#socket
    if (socket === null || this.#isClosed) return
    if (this.#requests.count > 0) this.#sendWaiting()
    const kind = socket.errorKind
    socket.errorKind = -1
    const code = kind < 0 ? null : codeOfIcmpError(kind, socket.remote.isIpv4)
    try {
      if (code !== null && this.#isReceiving) this.#tell(errnoOf(code))
      // What waits behind datagrams of an earlier turn waits on.
      if (this.#immediates === 0) this.#deliver()
    } finally {
      this.#deliverLater()
    }
  }

  #onImmediate(): void {
    this.#immediates--
    try {
      this.#deliver()
    } finally {
      if (this.#immediates === 0) this.#deliverLater()
    }
  }

  /** Immediates of one iteration of the loop run one after another, with all ticks and promises between them. */
  #deliverLater(): void {
    const waiting = this.#isReceiving ? (this.#socket?.received.count ?? 0) : 0
    for (let count = Math.min(waiting, AT_ONCE) - this.#immediates; count > 0; count--) {
      this.#immediates++
      setImmediate(this.#deliverNext)
    }
  }

  #deliver(): void {
    if (!this.#isReceiving) return
    const datagram = this.#endpoint?.receive() ?? null
    if (datagram === null) return
    const { bytes, offset, length } = datagram
    const octets = Buffer.allocUnsafeSlow(length)
    octets.set(bytes.subarray(offset, offset + length))
    this.#tell(length, octets, this.#rinfo(datagram))
  }

  #tell(size: number, octets?: Buffer, from?: RemoteInfo): void {
    this.#resource.runInAsyncScope(() => this.onmessage?.(size, this, octets, from))
  }

  #rinfo({ source, sourcePort, interface: by, length }: Datagram): RemoteInfo {
    let from = this.#from
    if (from === null || from.by !== by || !from.address.equals(source)) {
      from = { address: source.copy(), by, text: showScoped(this.#host.core, source, this.#isIpv6, by) }
      this.#from = from
    }
    return { address: from.text, family: this.#isIpv6 ? 'IPv6' : 'IPv4', port: sourcePort, size: length }
  }

  // Options.

  setTTL(hops: number): number {
    if (hops < 1 || hops > 255) return errnoOf('EINVAL')
    return this.#set((socket) => (socket.hopLimit = hops))
  }

  setMulticastTTL(hops: number): number {
    if (hops < 0 || hops > 255) return errnoOf('EINVAL')
    return this.#set((socket) => (socket.multicastHopLimit = hops))
  }

  setMulticastLoopback(isOn: number): number {
    return this.#set((socket) => (socket.multicastLoop = isOn !== 0))
  }

  setBroadcast(isOn: number): number {
    return this.#set((socket) => (socket.mayBroadcast = isOn !== 0))
  }

  #set(change: (socket: UdpSocket) => void): number {
    const socket = this.#socket
    if (socket === null) return errnoOf('EBADF')
    change(socket)
    return 0
  }

  setMulticastInterface(address: string): number {
    return setMulticastInterface(this.#host.core, this.#socket, address)
  }

  addMembership(group: string, by?: string | null): number {
    return this.#changeMembership('join', group, by)
  }

  dropMembership(group: string, by?: string | null): number {
    return this.#changeMembership('leave', group, by)
  }

  addSourceSpecificMembership(source: string, group: string, by?: string | null): number {
    return this.#changeMembership('join', group, by, source)
  }

  dropSourceSpecificMembership(source: string, group: string, by?: string | null): number {
    return this.#changeMembership('leave', group, by, source)
  }

  #changeMembership(change: Change, group: string, by: string | null = null, source: string | null = null): number {
    const bound = this.#bindAnywhere(BindFlag.reuseAddress)
    return bound !== 0 ? bound : changeMembership(this.#host.core, this.#open(), change, `${group}`, by, source)
  }

  /** 0 asks. Undefined where it can't be, and `problem` says why. */
  bufferSize(size: number, isReceive: boolean, problem: Partial<SystemErrorInfo>): number | undefined {
    return bufferSize(this.#socket, size, isReceive, problem)
  }

  // Closing, and what holds the process: as in libuv, a handle that waits for nothing does not.

  close(closed?: () => void): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#isReceiving = false
    this.#updateHold()
    const socket = this.#socket
    if (socket !== null) {
      this.#endpoint?.close()
      this.#host.farewells.waitForDatagrams(socket)
    }
    if (closed === undefined && this.#requests.count === 0) return
    setImmediate(() => {
      this.#requests.cancel(errnoOf('ECANCELED'))
      if (closed !== undefined) this.#resource.runInAsyncScope(closed)
    })
  }

  ref(): void {
    this.#isRef = true
    this.#updateHold()
  }

  unref(): void {
    this.#isRef = false
    this.#updateHold()
  }

  hasRef(): boolean {
    return this.#isRef && !this.#isClosed
  }

  #updateHold(): void {
    const isWaiting = this.#isReceiving || this.#requests.count > 0
    if (this.#isRef && !this.#isClosed && isWaiting) this.#letGo ??= this.#host.keepAlive.hold()
    else if (this.#letGo !== null) {
      this.#letGo()
      this.#letGo = null
    }
  }
}

function numberOf(result: number): number {
  return result === UdpResult.done ? 0 : errnoOf(CODE_OF_UDP_RESULT[udpReason(result)])
}
