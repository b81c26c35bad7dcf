// The wire between two simulated hosts: a link at both ends, impaired each way by itself, never one inside the other's turn.
import { expect, test } from 'vitest'
import { PacketBatch } from '../../src/core/batch.ts'
import { wire } from '../../src/link/wire.ts'
import { ManualTime } from '../support/manual-time.ts'
import { seeded } from '../support/seeded.ts'
import { conformance, datagram, put } from './conformance.ts'
import { farSide } from './far-side.ts'

function wireIn(time: ManualTime) {
  return wire({ time, random: { forward: seeded(1), backward: seeded(2) } })
}

for (const [name, near] of [['first', 0] as const, ['second', 1] as const]) {
  conformance(`the ${name} end of a wire`, () => {
    const time = new ManualTime()
    const { ends } = wireIn(time)
    const side = farSide([ends[near], ends[1 - near]], (link) => link)
    return { ...side, settle: async () => time.pass(0) }
  })
}

test('an end wakes at the time of arrival, in an event of its own', () => {
  const time = new ManualTime()
  const { ends, forward, backward } = wireIn(time)
  const log: string[] = []
  ends[0].open(() => log.push(`first at ${time.now()}`), time)
  ends[1].open(() => log.push(`second at ${time.now()}`), time)
  forward.change({ delay: 5 })
  const batch = new PacketBatch()
  put(batch, datagram(40))
  ends[0].transmit(batch)
  put(batch, datagram(40))
  ends[1].transmit(batch)
  expect(log).toEqual([])
  time.pass(10)
  expect(log).toEqual(['first at 0', 'second at 5'])
  expect([forward.held, backward.held]).toEqual([1, 1])
})

test('what is sent to an end that is not open is lost, and it may open again', () => {
  const time = new ManualTime()
  const { ends, forward } = wireIn(time)
  const batch = new PacketBatch()
  const send = () => {
    put(batch, datagram(40))
    ends[0].transmit(batch)
  }
  let woken = 0
  send()
  ends[1].open(() => woken++, time)
  send()
  ends[1].close()
  send()
  time.pass(1)
  expect([woken, forward.counters.closed]).toEqual([0, 3])
  ends[1].open(() => woken++, time)
  send()
  time.pass(1)
  expect(woken).toBe(1)
})
