// Asks a host for echoes and says what came back: what `tunstack ping` and the simulator's hosts use.

import type { Address } from '../core/ip/address.ts'
import type { EchoSocket } from '../core/ip/echo.ts'
import { IcmpErrorKind } from '../core/ip/icmp-error.ts'
import type { Owner } from '../core/ready.ts'
import type { Driver } from './driver.ts'

export interface PingOptions {
  /** Octets of data in each request. */
  size?: number
  /** Milliseconds to wait for a reply. */
  timeout?: number
  hopLimit?: number
}

export interface PingReply {
  readonly sequence: number
  /** `reply`, `timeout`, or the kind of ICMP error that came instead; `noRoute` where nothing could be sent, `closed` where the stack was closed. */
  readonly result: 'reply' | 'timeout' | 'noRoute' | 'closed' | keyof typeof IcmpErrorKind
  /** Who answered: the host, or the router that sent the error. */
  readonly from: string | null
  /** Milliseconds. */
  readonly time: number
  readonly hopLimit: number
  /** The data came back as it was sent. */
  readonly isIntact: boolean
}

const DEFAULT_SIZE = 56
const DEFAULT_TIMEOUT = 1000
const DEFAULT_HOP_LIMIT = 64

interface Waiting {
  readonly sentAt: number
  readonly payload: Uint8Array<ArrayBuffer>
  readonly cancel: () => void
  readonly resolve: (reply: PingReply) => void
}

export class Pinger implements Owner {
  readonly #socket: EchoSocket
  readonly #driver: Driver
  readonly #waiting = new Map<number, Waiting>()
  #sequence = 0

  constructor(socket: EchoSocket, driver: Driver) {
    this.#socket = socket
    this.#driver = driver
    socket.owner = this
  }

  ping(address: Address, options: PingOptions = {}): Promise<PingReply> {
    const { size = DEFAULT_SIZE, timeout = DEFAULT_TIMEOUT, hopLimit = DEFAULT_HOP_LIMIT } = options
    const sequence = (this.#sequence = (this.#sequence + 1) & 0xffff)
    const payload = new Uint8Array(size).map((_, place) => (place + sequence) & 0xff)
    const sentAt = this.#driver.time.now()
    return new Promise((resolve) => {
      const octets = { bytes: payload, view: new DataView(payload.buffer) }
      if (!this.#socket.send(address, sequence, octets, hopLimit)) {
        resolve({ sequence, result: 'noRoute', from: null, time: 0, hopLimit: 0, isIntact: false })
        return
      }
      const cancel = this.#driver.time.after(timeout, () => this.#giveUp(sequence))
      this.#waiting.set(sequence, { sentAt, payload, cancel, resolve })
      this.#driver.request()
    })
  }

  wake(): void {
    const socket = this.#socket
    for (let reply = socket.received.shift(); reply !== null; reply = socket.received.shift()) {
      const data = reply.bytes.subarray(reply.offset, reply.offset + reply.length)
      const sent = this.#waiting.get(reply.sourcePort)?.payload
      const isIntact =
        sent !== undefined && sent.length === data.length && sent.every((octet, at) => octet === data[at])
      this.#settle(reply.sourcePort, 'reply', reply.source.toString(), reply.hopLimit, isIntact)
    }
    if (socket.errorKind < 0) return
    const kind = Object.entries(IcmpErrorKind).find(([, value]) => value === socket.errorKind)
    socket.errorKind = -1
    const name = kind?.[0] as keyof typeof IcmpErrorKind
    this.#settle(socket.errorSequence, name, socket.errorFrom?.toString() ?? null, 0, false)
  }

  close(): void {
    for (const sequence of [...this.#waiting.keys()]) this.#settle(sequence, 'closed', null, 0, false)
    this.#socket.close()
  }

  /** Where the process stood still, its reply has been read in this very turn. */
  #giveUp(sequence: number): void {
    this.wake()
    this.#settle(sequence, 'timeout', null, 0, false)
  }

  #settle(
    sequence: number,
    result: PingReply['result'],
    from: string | null,
    hopLimit: number,
    isIntact: boolean,
  ): void {
    const waiting = this.#waiting.get(sequence)
    if (waiting === undefined) return
    this.#waiting.delete(sequence)
    waiting.cancel()
    const time = this.#driver.time.now() - waiting.sentAt
    waiting.resolve({ sequence, result, from, time, hopLimit, isIntact })
  }
}
