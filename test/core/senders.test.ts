// Who sends next by an interface: each in turn, and where packets may be long, a few of one at a time.
import { expect, test } from 'vitest'
import { LARGEST_PACKET, PacketBatch } from '../../src/core/batch.ts'
import type { Sender } from '../../src/core/ip/interface.ts'
import { Stack } from '../../src/core/stack.ts'
import { seeded } from '../support/seeded.ts'

/** What a batch is filled with by so many senders, each of which has so many packets of that length: a letter a packet. */
function order(largest: number, length: number, packets: number[]): string {
  const stack = new Stack({ random: seeded(1) })
  const by = stack.addInterface({ name: 'link0', mtu: 1500 })
  const batch = new PacketBatch({ largest, capacity: 64, longest: 8 })
  batch.interface = by.index
  let sent = ''
  for (const [at, count] of packets.entries()) {
    let left = count
    const sender: Sender = {
      transmit(batch) {
        if (left === 0) return false
        expect(batch.reserve(length)).toBeGreaterThanOrEqual(0)
        batch.commit(length)
        sent += String.fromCharCode(65 + at)
        return --left > 0
      },
    }
    by.senders.push(sender)
  }
  while (by.hasOutput) {
    stack.transmit(batch, 0)
    batch.clear()
    sent += ' '
  }
  return sent.trim()
}

test.each([
  ['one', [9], 'AAAAAAAA A'],
  ['two', [9, 6], 'AAAABBBB AAAABBA'],
  ['three', [3, 3, 3], 'AABBCCAB C'],
  ['many', Array.from({ length: 9 }, () => 2), 'ABCDEFGH IABCDEFG HI'],
])('long packets of %s', (_, packets, expected) => {
  expect(order(LARGEST_PACKET, 65_000, packets)).toBe(expected)
})

test('short ones take turns', () => {
  expect(order(1500, 1500, [4, 3, 2])).toBe('ABCABCABA')
})
