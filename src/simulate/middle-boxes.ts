// Boxes that stand in the middle of a link, as routers, firewalls and load balancers do, and meddle: `link.add(new DropsIdle({ after: 60_000 }))`.
// Each sees every packet of both directions, in the order in which boxes were added; one that drops a packet hides it from those behind.

import type { PassingPacket } from './passing-packet.ts'
import { describeTime } from './timeline.ts'

/** What a box may do beside letting a packet pass or not. */
export interface Passage {
  /** Virtual milliseconds. */
  readonly now: number
  /** Sends an IP packet back to where this one came from. */
  answer(packet: Uint8Array<ArrayBuffer>): void
  /** Puts what it did into the timeline. */
  tell(text: string): void
}

export interface MiddleBox {
  /** Whether the packet goes on. It is borrowed, and may be changed. */
  pass(packet: PassingPacket, passage: Passage): boolean
}

export interface DropsIdleOptions {
  /** Milliseconds of silence after which a connection is forgotten. Home routers take some minutes, cloud load balancers 60 s to 350 s. */
  after: number
  /**
   * What comes of packets of a connection that was forgotten. `'silence'`, unless said otherwise: they vanish, and both ends believe that the
   * connection stands, until they lose patience. `'reset'`: whoever sends next is told that it is over.
   */
  answer?: 'silence' | 'reset'
}

/**
 * Forgets connections (and flows of datagrams) that have been silent for too long, as routers with NAT, firewalls and load balancers do. What a
 * pool keeps open between two requests is then dead, and nobody knows. Keep-alive probes more often than that keep it alive.
 */
export class DropsIdle implements MiddleBox {
  readonly #after: number
  readonly #answer: 'silence' | 'reset'
  /** When each flow was last seen. */
  readonly #seen = new Map<string, number>()
  readonly #forgotten = new Set<string>()

  constructor({ after, answer = 'silence' }: DropsIdleOptions) {
    if (!(after > 0)) throw new RangeError(`a box forgets after a number of milliseconds above 0, not after ${after}`)
    this.#after = after
    this.#answer = answer
  }

  pass(packet: PassingPacket, passage: Passage): boolean {
    if (packet.protocol === null) return true
    const { flow } = packet
    if (packet.isOpening || packet.protocol === 'udp') this.#forgotten.delete(flow)
    const seen = this.#seen.get(flow)
    if (seen !== undefined && packet.protocol === 'tcp' && !packet.isOpening && passage.now - seen > this.#after) {
      this.#seen.delete(flow)
      this.#forgotten.add(flow)
      const idle = describeTime(passage.now - seen)
      passage.tell(`a box has forgotten the connection to port ${packet.destinationPort}, which was idle for ${idle}`)
    }
    if (this.#forgotten.has(flow)) {
      if (this.#answer === 'reset') passage.answer(packet.composeReset())
      return false
    }
    this.#seen.set(flow, passage.now)
    return true
  }
}

/**
 * Rewrites the largest segment that both ends ask of each other (TCP's MSS option), as routers before a tunnel do. Smaller than it was makes more and
 * smaller packets; larger than the path takes makes packets vanish, if the link's `impair({ mtu })` says so.
 */
export class RewritesMss implements MiddleBox {
  readonly #octets: number

  constructor({ to }: { /** Octets of payload: 1460 is what Ethernet takes. */ to: number }) {
    if (!(Number.isInteger(to) && to > 0 && to <= 65_535)) {
      throw new RangeError(`an MSS is a whole number of octets from 1 to 65535, not ${to}`)
    }
    this.#octets = to
  }

  pass(packet: PassingPacket): boolean {
    if (packet.mss > 0) packet.mss = this.#octets
    return true
  }
}

export interface AnswersWithResetsOptions {
  /** Only connections to this port; all, if none is given. */
  port?: number
  /**
   * `'opening'`: new connections are refused, those that stand go on. `'open'`: those that stand are torn down, at their next packet. `'all'` unless
   * said otherwise.
   */
  to?: 'opening' | 'open' | 'all'
}

/**
 * Answers in the other end's name that there is no such connection, as firewalls do whose rules have changed. Programs see ECONNREFUSED where they connect, and
 * ECONNRESET in the middle of an answer. The other end learns nothing until it sends something itself.
 */
export class AnswersWithResets implements MiddleBox {
  readonly #port: number | null
  readonly #to: 'opening' | 'open' | 'all'

  constructor({ port, to = 'all' }: AnswersWithResetsOptions = {}) {
    this.#port = port ?? null
    this.#to = to
  }

  pass(packet: PassingPacket, passage: Passage): boolean {
    if (packet.protocol !== 'tcp' || packet.isReset) return true
    if (this.#port !== null && packet.destinationPort !== this.#port && packet.sourcePort !== this.#port) return true
    if (this.#to !== 'all' && packet.isOpening !== (this.#to === 'opening')) return true
    const what = packet.isOpening ? 'a new connection' : 'a connection'
    passage.answer(packet.composeReset())
    passage.tell(`a box answers ${what} to port ${packet.destinationPort} with a reset`)
    return false
  }
}
