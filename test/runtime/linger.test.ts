// When a turn looks for packets: once more for a while after long ones, since the next is mostly near, and after the answer to one that was
// likely to come alone.
import { expect, test } from 'vitest'
import type { PacketBatch } from '../../src/core/batch.ts'
import type { Link } from '../../src/core/environment.ts'
import { Stack } from '../../src/core/stack.ts'
import { Driver } from '../../src/runtime/driver.ts'
import { seeded } from '../support/seeded.ts'

const LONG = 60_000
const NOTHING = 0

const FULL = 64

/** At each look one packet of the next length, or none. */
class Scripted implements Link {
  readonly medium = 'ip'
  readonly mtu = 1500
  readonly headroom = 10
  readonly offload = { checksum: true, tcp4: true, tcp6: true, udp: false }
  lengths: number[] = []
  looks = 0
  transmissions = 0
  /** The room at each look, and a word at each transmission. */
  story: (number | string)[] = []

  open(): void {}
  close(): void {}

  receive(batch: PacketBatch): void {
    this.looks++
    this.story.push(batch.capacity)
    const length = this.lengths.shift() ?? NOTHING
    if (length === NOTHING) return
    const at = batch.reserve(length)
    batch.bytes.fill(0, at, at + 1)
    batch.commit(length)
  }

  transmit(): void {
    this.transmissions++
    this.story.push('answer')
  }
}

/** The clock goes on by so many milliseconds each time that it is read. */
function driven(step = 0) {
  const stack = new Stack({ random: seeded(1) })
  const link = new Scripted()
  let time = 0
  const clock = { now: () => (time += step), wall: () => 0 }
  const driver = new Driver(stack, { clock, random: seeded(2), alarm: () => ({ arm() {} }) })
  const { mtu, headroom, offload } = link
  driver.attach(link, stack.addInterface({ name: 'link0', mtu, headroom, offload }))
  /** How often it looked, how much was left, how often it sent. */
  const turn = (...lengths: number[]) => {
    Object.assign(link, { lengths, looks: 0, transmissions: 0, story: [] })
    driver.turn()
    return [link.looks, link.lengths.length, link.transmissions]
  }
  return { driver, link, turn }
}

const nothing = (looks: number) => Array.from({ length: looks }, () => NOTHING)

test('what comes a little later is received and answered in the same turn', () => {
  const { turn } = driven()
  expect(turn(LONG, ...nothing(5), LONG, ...nothing(4), LONG)).toEqual([1 + 5 + 2 + 3 + 2 + 5, 0, 3])
})

test('after six looks in vain the turn ends, and so it does with the first look after others', () => {
  const { turn } = driven()
  expect(turn(LONG, ...nothing(6), LONG)).toEqual([7, 1, 1])
  expect(turn()).toEqual([1, 0, 1])
})

test('it ends after sixteen rounds, however many packets there are', () => {
  const { turn } = driven()
  const many = Array.from({ length: 1000 }, () => LONG)
  expect(turn(...many)).toEqual([1 + 16 * 16, 1000 - 1 - 16 * 16, 17])
})

test('it ends after a quarter of a millisecond', () => {
  const { turn } = driven(0.1)
  // The clock is read when the turn begins, before it sends, and before each further look.
  const [looks, left] = turn(LONG, ...nothing(5), LONG)
  expect([looks, left]).toEqual([2, 5])
})

test('after short packets nobody looks again, nor while somebody watches', () => {
  const { driver, turn } = driven()
  expect(turn(60, LONG)).toEqual([1, 1, 1])
  turn()
  const unwatch = driver.watch(() => {})
  expect(turn(LONG, LONG)).toEqual([1, 1, 1])
  unwatch()
})

test('where one short packet came alone, the next is answered before anybody looks for others', () => {
  const { link, turn } = driven()
  turn(60)
  expect(link.story).toEqual([FULL, 'answer'])
  turn(60)
  expect(link.story).toEqual([1, 'answer', FULL, 'answer'])
  turn(60)
  expect(link.story).toEqual([1, 'answer', FULL, 'answer'])
})

test('a second packet behind it ends that, and so does none', () => {
  const { link, turn } = driven()
  turn(60)
  turn(60, 60)
  expect(link.story).toEqual([1, 'answer', FULL, 'answer'])
  turn(60)
  expect(link.story).toEqual([FULL, 'answer'])
  turn()
  expect(link.story).toEqual([1, FULL, 'answer'])
  turn(60)
  expect(link.story).toEqual([FULL, 'answer'])
})

test('a long one in its place makes the turn after it look for long ones', () => {
  const { link, turn } = driven()
  turn(60)
  turn(LONG)
  expect(link.story).toEqual([1, 'answer', 1, 'answer'])
  turn(LONG)
  expect(link.story.slice(0, 3)).toEqual([1, 1, 'answer'])
})
