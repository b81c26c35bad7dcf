// A path swallows long packets and says nothing (RFC 4821): a transfer finds out by itself and is hardly late for it, finds how much
// the path takes after all, and takes neither an outage nor a lost burst for such a path.
import { describe, expect, it } from 'vitest'
import { Count } from '../../src/core/observer.ts'
import type { TcpSettings } from '../../src/core/tcp/settings.ts'
import type { Impairment } from '../../src/link/impairment.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import { simulate } from '../../src/simulate/network.ts'

/** Ten megabytes each are a claim of `npm run prove -- transfers`. */
const OCTETS = 2_000_000
const CHUNK = new Uint8Array(50_000)
/** With a queue that drops nothing: what is lost is lost for its length. */
const CLEAN: Impairment = { delay: 10, rate: 100, queue: 5000 }
const CONTROLLERS = ['cubic', 'reno', 'bbr'] as const

interface Options {
  tcp?: Partial<TcpSettings>
  isIpv6?: boolean
  mtu?: number
  /** The end that was connected to sends. */
  listenerSends?: boolean
  octets?: number
  offload?: boolean
}

/** One end sends to the other; `took` is set when everything has arrived. */
class Transfer {
  readonly network = simulate({ seed: 8899 })
  readonly #client
  readonly #server
  readonly link
  endpoint!: Endpoint
  took = 0
  received = 0
  #left = 0
  readonly #octets: number
  readonly #sender

  constructor(forward: Impairment, { tcp, isIpv6, mtu, listenerSends, octets, offload }: Options = {}) {
    const { network } = this
    this.#octets = octets ?? OCTETS
    this.#client = network.host('client', { tcp })
    this.#server = network.host('server', { tcp })
    this.#sender = listenerSends ? this.#server : this.#client
    const ways = listenerSends ? { forward: CLEAN, backward: forward } : { forward, backward: CLEAN }
    const whole = { offload: { checksum: true, tcp4: true, tcp6: true, udp: false } }
    this.link = network.link(this.#client, this.#server, { ...ways, mtu: mtu ?? 1500, ...(offload ? whole : {}) })
    const listener = this.#server.stack.listen({ port: 80 })
    const endpoint = this.#client.stack.connect({ address: this.#server.addresses[isIpv6 ? 1 : 0], port: 80 })
    listener.onConnection = (accepted) => {
      if (listenerSends) this.#send(accepted)
      else this.#receive(accepted)
    }
    if (listenerSends) this.#receive(endpoint)
    else endpoint.onOpen = () => this.#send(endpoint)
  }

  #receive(endpoint: Endpoint): void {
    endpoint.onReadable = () => {
      for (let bytes = endpoint.read(); bytes !== null; bytes = endpoint.read()) this.received += bytes.length
      if (this.received === this.#octets) this.took = this.network.now()
    }
  }

  #send(endpoint: Endpoint): void {
    this.endpoint = endpoint
    endpoint.onWritable = () => this.more(0)
    this.more(this.#octets)
  }

  /** So many octets more are sent. */
  more(octets: number): void {
    this.#left += octets
    while (this.#left > 0) {
      const taken = this.endpoint.send(CHUNK, 0, Math.min(this.#left, CHUNK.length))
      this.#left -= taken
      if (taken === 0) return
    }
  }

  /** Runs until then. */
  run(milliseconds = 60_000): this {
    this.network.advance(milliseconds)
    return this
  }

  /** The way of the text becomes so bad after a time. */
  after(milliseconds: number, change: Impairment): this {
    const direction = this.#sender === this.#client ? 'forward' : 'backward'
    const impair = () => this.link.impair({ [direction]: change })
    if (milliseconds === 0) impair()
    else this.network.after(milliseconds, impair)
    return this
  }

  get pathMtu(): number {
    return this.endpoint.info()?.pathMtu ?? 0
  }

  count(name: keyof typeof Count): number {
    return this.#sender.stack.core.observer.counters.get(Count[name])
  }

  get counts(): Record<string, number> {
    return this.#sender.stack.core.observer.counters.toJSON().counts
  }
}

const cleanTimes = new Map<string, number>()

/** What it takes on a path that takes all; many tests compare with the same. */
function cleanTime(options: Options): number {
  const key = JSON.stringify(options)
  const known = cleanTimes.get(key)
  if (known !== undefined) return known
  const clean = new Transfer(CLEAN, options).run()
  expect(clean.received).toBe(OCTETS)
  expect(clean.count('tcpBlackHoles')).toBe(0)
  cleanTimes.set(key, clean.took)
  return clean.took
}

/** Milliseconds by which a path that takes `mtu` octets, from `at` on, is slower than one that takes all. */
function late(mtu: number, options: Options = {}, at = 0): number {
  const clean = cleanTime(options)
  const swallowed = new Transfer(CLEAN, options).after(at, { mtu }).run()
  expect(swallowed.received).toBe(OCTETS)
  expect(swallowed.count('tcpBlackHoles')).toBeGreaterThan(0)
  return swallowed.took - clean
}

describe('two megabytes through a path that takes 1280 octets and says nothing', () => {
  const cases: [string, Options][] = [
    ...CONTROLLERS.map((congestion): [string, Options] => [congestion, { tcp: { congestion } }]),
    ['IPv6', { isIpv6: true }],
    ['sent by the end that listened', { listenerSends: true }],
    ['without SACK', { tcp: { selectiveAcks: false } }],
    ['without timestamps', { tcp: { timestamps: false } }],
    ['without either', { tcp: { timestamps: false, selectiveAcks: false } }],
    ['links of 9000 octets', { mtu: 9000 }],
    ['super-segments', { offload: true }],
  ]
  it.each(cases)('are late by less than three seconds: %s', (_name, options) => {
    expect(late(1280, options)).toBeLessThan(3000)
  })

  it.each(CONTROLLERS)('are late by less than three seconds where it comes to be so on the way: %s', (congestion) => {
    expect(late(1280, { tcp: { congestion } }, 100)).toBeLessThan(3000)
  })

  it('are late by less than three seconds where it takes less still', () => {
    expect(late(576)).toBeLessThan(3000)
    expect(late(1000)).toBeLessThan(3000)
  })
})

/** No queue to speak of. */
const SHORT = { receiveBufferMost: 65_536, receiveBufferInitial: 65_536 }
const LONG = { octets: 200_000_000 }
/** So slow that fourteen seconds are little work. */
const SLOW: Impairment = { delay: 10, rate: 4, queue: 5000 }

describe('the search for what the path takes', () => {
  it.each([1492, 1400, 1300])('comes close from below: %i', (mtu) => {
    const transfer = new Transfer({ ...SLOW, mtu }, LONG).run(14_000)
    expect(transfer.pathMtu).toBeLessThanOrEqual(mtu)
    expect(transfer.pathMtu).toBeGreaterThan(mtu - 32)
    expect(transfer.count('tcpBlackHoles')).toBe(1)
  })

  it('takes the loss of a probe for no congestion, and repairs it at once', () => {
    const transfer = new Transfer({ ...SLOW, mtu: 1280 }, LONG).run(14_000)
    const timeouts = transfer.count('tcpTimeouts')
    expect(transfer.count('tcpPathProbesLost')).toBeGreaterThan(5)
    expect(transfer.count('tcpFastRecoveries')).toBe(0)
    expect(timeouts).toBeLessThanOrEqual(2)
    // All that was sent again beside the probes, in two pieces each, is what was lost before the fall.
    const { tcpRetransmitted, tcpPathProbesLost } = transfer.counts
    expect(tcpRetransmitted - 2 * tcpPathProbesLost).toBeLessThan(25)
  })

  it('does so without SACK too', () => {
    // A queue that grows by more than the RTO within a round trip brings timeouts of its own.
    const tcp = { ...SHORT, selectiveAcks: false }
    const transfer = new Transfer({ ...SLOW, mtu: 1280 }, { ...LONG, tcp }).run(14_000)
    expect(transfer.count('tcpPathProbesLost')).toBeGreaterThan(5)
    expect(transfer.count('tcpFastRecoveries')).toBe(0)
    expect(transfer.count('tcpTimeouts')).toBeLessThanOrEqual(2)
  })

  it('begins anew after ten minutes', () => {
    const transfer = new Transfer({ ...SLOW, mtu: 1280 }, { octets: 8_000_000, tcp: SHORT }).run(300_000)
    expect(transfer.pathMtu).toBe(1280)
    transfer.link.impair({ forward: { mtu: Infinity } })
    transfer.more(1_000_000)
    transfer.run(310_000)
    expect(transfer.pathMtu).toBe(1280)
    transfer.run(700_000)
    transfer.more(1_000_000)
    transfer.run(710_000)
    expect(transfer.pathMtu).toBe(1500)
  })
})

describe('what is no black hole', () => {
  it.each(CONTROLLERS)('an outage leaves nothing behind: %s', (congestion) => {
    const transfer = new Transfer(SLOW, { ...LONG, tcp: { congestion } }).run(500)
    transfer.link.partition()
    transfer.run(5_000)
    transfer.link.heal()
    expect(transfer.pathMtu).toBeLessThan(1500)
    transfer.run(9_000)
    expect(transfer.pathMtu).toBe(1500)
  })

  it('a lost burst, or the loss of all ACKs for a while, is none', () => {
    for (const direction of ['forward', 'backward'] as const) {
      const transfer = new Transfer(SLOW).run(500)
      transfer.link.partition(direction)
      transfer.run(600)
      transfer.link.heal(direction)
      transfer.run()
      expect(transfer.received).toBe(OCTETS)
      expect(transfer.count('tcpBlackHoles')).toBe(0)
    }
  })

  it('a path that takes half a second longer is none, or it is forgotten at once', () => {
    const transfer = new Transfer(SLOW).after(500, { delay: 900 }).run()
    expect(transfer.received).toBe(OCTETS)
    expect(transfer.pathMtu).toBe(1500)
  })

  it('IPv6 never goes below 1280 octets, IPv4 never below 576', () => {
    for (const isIpv6 of [false, true]) {
      const transfer = new Transfer({ ...CLEAN, mtu: 500 }, { isIpv6 }).run(30_000)
      expect(transfer.received).toBe(0)
      expect(transfer.pathMtu).toBe(isIpv6 ? 1280 : 576)
      expect(transfer.count('tcpBlackHoles')).toBe(isIpv6 ? 1 : 2)
    }
  })

  it('is looked for unless that is switched off', () => {
    const transfer = new Transfer({ ...CLEAN, mtu: 1280 }, { tcp: { pathProbing: false } }).run(10_000)
    expect(transfer.count('tcpBlackHoles')).toBe(0)
    expect(transfer.received).toBe(0)
  })
})
