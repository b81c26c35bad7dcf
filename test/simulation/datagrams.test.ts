// Datagrams of every size through a network that loses, reorders and repeats: each arrives whole or not at all.
// Both families, fragments among them, over several seeds. A failure names its seed.
import { expect, test } from 'vitest'
import { simulate } from '../../src/simulate/network.ts'
import { seeded } from '../support/seeded.ts'

const SEEDS = Number(process.env.TUNSTACK_SEEDS ?? 20)
const FIRST = Number(process.env.TUNSTACK_SEED ?? 1)
const DATAGRAMS = 300
const LONGEST = 20_000

/** What datagram `number` of a seed holds: its number, then octets that follow from it. */
function content(number: number, length: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(length)
  for (let at = 0; at < length; at++) data[at] = (number * 31 + at * 7 + (at >>> 8)) & 0xff
  new DataView(data.buffer).setUint32(0, number)
  return data
}

function exchange(seed: number, address: string) {
  const network = simulate({ seed })
  const [sender, receiver] = [
    network.host('sender', ['10.0.0.1', 'fd00::1']),
    network.host('receiver', ['10.0.0.2', 'fd00::2']),
  ]
  network.link(sender, receiver, { delay: 10, jitter: 5, loss: 0.2, reorder: 0.2, duplicate: 0.2, corrupt: 0.02 })
  const random = seeded(seed)
  const lengths: number[] = []
  const from = sender.stack.openUdp({ ipv6: true })
  const to = receiver.stack.openUdp({ ipv6: true })
  to.bind(9)
  const arrived = new Map<number, number>()
  const wrong: string[] = []
  to.onReadable = () => {
    for (let one = to.receive(); one !== null; one = to.receive()) {
      const data = one.bytes.slice(one.offset, one.offset + one.length)
      const number = new DataView(data.buffer).getUint32(0)
      arrived.set(number, (arrived.get(number) ?? 0) + 1)
      const sent = content(number, lengths[number] ?? 0)
      if (data.length !== sent.length || data.some((octet, at) => octet !== sent[at])) wrong.push(`datagram ${number}`)
    }
  }
  for (let number = 0; number < DATAGRAMS; number++) {
    const isSmall = random.int32() > 0
    lengths.push(4 + ((random.int32() >>> 0) % (isSmall ? 1400 : LONGEST)))
    expect(from.send(content(number, lengths[number]), address, 9)).toBe(true)
    network.advance(network.now() + 20)
  }
  network.advance(network.now() + 60_000)
  const waiting = receiver.stack.core.fragments.count
  const { reassembled = 0 } = receiver.stack.counters().counts
  network.close()
  return { arrived, wrong, lengths, waiting, reassembled }
}

test.each(['10.0.0.2', 'fd00::2'])('%s', (address) => {
  let [single, cut] = [0, 0]
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const { arrived, wrong, lengths, waiting, reassembled } = exchange(seed, address)
    const replay = `seed ${seed}: TUNSTACK_SEED=${seed} TUNSTACK_SEEDS=1 npx vitest run test/simulation/datagrams.test.ts`
    expect(wrong, replay).toEqual([])
    expect(waiting, replay).toBe(0)
    expect(reassembled, replay).toBeGreaterThan(0)
    for (const number of arrived.keys()) {
      if (lengths[number] > 1400) cut++
      else single++
    }
  }
  console.log(
    `over ${SEEDS} seeds: ${address}: ${SEEDS * DATAGRAMS} sent, ${single} of one packet and ${cut} in pieces came whole`,
  )
  // Four of five packets get through; of datagrams in pieces, those whose pieces all do.
  expect(single / SEEDS).toBeGreaterThan(80)
  expect(cut / SEEDS).toBeGreaterThan(2)
})
