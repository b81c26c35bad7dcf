// A process that stands still for a while (garbage, a debugger, another program) finds its acknowledgments waiting when it goes on:
// they are read before any timer takes them for lost. Two stacks in virtual time, one of which is stopped by hand.
import { beforeEach, expect, test } from 'vitest'
import type { Link } from '../../src/core/environment.ts'
import { wire } from '../../src/link/wire.ts'
import { createStack, type PortableStack } from '../../src/runtime/create-stack.ts'
import { VirtualClock } from '../../src/simulate/clock.ts'
import { seeded } from '../support/seeded.ts'

const CONNECTIONS = 1_000
const DELAY = 20
const STALL = 300
const data = new Uint8Array(1 << 14)

let clock: VirtualClock

/** A stack whose driver is called by nobody while it is stopped. */
class Process {
  readonly stack: PortableStack
  #isStopped = false
  #late: (() => void)[] = []

  constructor(seed: number, link: Link, address: string) {
    const alarm = (callback: () => void) => clock.alarm(this.#unlessStopped(callback))
    this.stack = createStack({ environment: { clock, random: seeded(seed), alarm } })
    const { medium, mtu, headroom, offload } = link
    const guarded: Link = {
      ...{ medium, mtu, headroom, offload },
      open: (wake, time) => link.open(this.#unlessStopped(wake), time),
      close: () => link.close(),
      receive: (batch) => link.receive(batch),
      transmit: (batch) => link.transmit(batch),
    }
    this.stack.addInterface({ link: guarded, addresses: [`${address}/24`] })
  }

  stop(): void {
    this.#isStopped = true
  }

  goOn(): void {
    this.#isStopped = false
    for (const callback of this.#late.splice(0)) callback()
  }

  #unlessStopped(callback: () => void): () => void {
    return () => {
      if (this.#isStopped) this.#late.push(callback)
      else callback()
    }
  }
}

let sender: Process
let receiver: Process

beforeEach(() => {
  clock = new VirtualClock()
  const { ends, forward, backward } = wire({ time: clock, random: { forward: seeded(1), backward: seeded(2) } })
  for (const way of [forward, backward]) way.change({ delay: DELAY, queue: 100_000 })
  const [one, other] = ends
  sender = new Process(3, one, '10.0.0.1')
  receiver = new Process(4, other, '10.0.0.2')
  receiver.stack.listen({ port: 9, backlog: CONNECTIONS }).onConnection = (endpoint) => {
    endpoint.onReadable = () => endpoint.look((_, __, length) => length)
  }
  for (let count = 0; count < CONNECTIONS; count++) {
    const endpoint = sender.stack.connect({ address: '10.0.0.2', port: 9 })
    const send = () => {
      while (endpoint.send(data) > 0);
    }
    endpoint.setBuffers({ send: data.length })
    endpoint.onOpen = send
    endpoint.onWritable = send
  }
  clock.advance(clock.now() + 3 * DELAY)
})

test('a thousand connections send nothing again after 300 ms in which their process stood still', () => {
  const counts = () => sender.stack.counters().counts
  expect(sender.stack.core.tcp.connectionCount).toBe(CONNECTIONS)
  for (let round = 0; round < 2; round++) {
    sender.stop()
    const before = counts().ipReceived
    clock.advance(clock.now() + STALL)
    sender.goOn()
    clock.advance(clock.now() + 1)
    expect(counts().ipReceived - before).toBeGreaterThan(CONNECTIONS)
    clock.advance(clock.now() + 3 * DELAY)
  }
  expect([counts().tcpRetransmitted, counts().tcpTimeouts]).toEqual([undefined, undefined])
})
