// A link that lets its packets be looked at, and taken away: it is a link like any other, and shows each packet once.
import { expect, test } from 'vitest'
import { PacketBatch } from '../../src/core/batch.ts'
import { memory } from '../../src/link/memory.ts'
import { type Watch, WatchedLink } from '../../src/link/watched.ts'
import { conformance, datagram, put } from './conformance.ts'
import { farSide } from './far-side.ts'

function watched(watch?: Watch): (link: ConstructorParameters<typeof WatchedLink>[0]) => WatchedLink {
  return (link) => {
    const made = new WatchedLink(link)
    if (watch !== undefined) made.watch(watch)
    return made
  }
}

conformance('a watched link', () => farSide(memory(), watched()))
conformance('a watched link that somebody looks at', () =>
  farSide(
    memory(),
    watched(() => {}),
  ),
)
conformance('a watched link that loses nothing', () =>
  farSide(memory(), (link) => {
    const made = new WatchedLink(link)
    made.loses = () => false
    return made
  }),
)

function example() {
  const seen: [string, number, number, number][] = []
  const side = farSide(memory(), (link) => new WatchedLink(link))
  const link = side.link as WatchedLink
  const stop = link.watch((direction, batch, row, at) => seen.push([direction, batch.length[row], batch.note[row], at]))
  side.link.open(() => {}, side.time)
  return { side, link, seen, stop }
}

test('what arrived is shown at the end of its turn, with the stack’s note and the time of its arrival; what is sent, at once', () => {
  const { side, seen, stop } = example()
  const incoming = new PacketBatch()
  const outgoing = new PacketBatch()
  side.time.pass(1)
  side.send(datagram(100, 1))
  side.link.receive(incoming)
  expect(seen).toEqual([])
  incoming.note[0] = 7
  side.time.pass(0.5)
  put(outgoing, datagram(41, 3))
  side.link.transmit(outgoing)
  expect(seen).toEqual([
    ['in', 100, 7, 1],
    ['out', 41, 0, 1.5],
  ])
  side.send(datagram(60, 4))
  incoming.clear()
  side.link.receive(incoming)
  stop()
  expect(seen.at(-1)?.slice(0, 2)).toEqual(['in', 60])
  side.link.receive(incoming)
  expect(seen.length).toBe(3)
})

test('a packet that is taken away was sent all the same, and does not arrive', () => {
  const { side, link, seen } = example()
  link.loses = (batch, row) => batch.length[row] === 50
  const outgoing = new PacketBatch()
  for (const length of [40, 50, 60]) put(outgoing, datagram(length))
  side.link.transmit(outgoing)
  expect(outgoing.count).toBe(0)
  expect(seen.map(([, length]) => length)).toEqual([40, 50, 60])
  expect(side.received().map(({ length }) => length)).toEqual([40, 60])
})
