// When a turn looks for packets: after long ones it looks again for a while, since the next is mostly near, and so it does after the answer to
// one that came alone, which is answered before anybody looks for others.
import { expect, test } from 'vitest'
import type { PacketBatch } from '../../src/core/batch.ts'
import type { Link } from '../../src/core/environment.ts'
import { Stack } from '../../src/core/stack.ts'
import { Driver } from '../../src/runtime/driver.ts'
import { Patience } from '../../src/runtime/patience.ts'
import { icmpPacket, prefixes, put } from '../support/packets.ts'
import { seeded } from '../support/seeded.ts'

/** What a look finds: a packet of 60,000 octets, a short one that nobody answers, one that is answered at once. */
type Found = 'long' | 'short' | 'question' | 'nothing'

const ECHO_REQUEST = 8
const QUESTION = icmpPacket(ECHO_REQUEST, 0, 1, [], { from: '10.0.0.1', to: '10.0.0.2' })
const ROOM = 64

/** At each look the next of what there is to be found. */
class Scripted implements Link {
  readonly medium = 'ip'
  readonly mtu = 1500
  readonly headroom = 10
  readonly offload = { checksum: true, tcp4: true, tcp6: true, udp: false }
  readonly busyPoll: boolean
  found: Found[] = []
  /** The room at each look, and what was sent. */
  story: (number | 'answer')[] = []

  constructor(busyPoll: boolean) {
    this.busyPoll = busyPoll
  }

  open(): void {}
  close(): void {}

  receive(batch: PacketBatch): void {
    this.story.push(batch.capacity)
    const found = this.found.shift() ?? 'nothing'
    if (found === 'question') put(batch, QUESTION)
    else if (found !== 'nothing') put(batch, new Uint8Array(found === 'long' ? 60_000 : 60))
  }

  transmit(batch: PacketBatch): void {
    if (batch.count > 0) this.story.push('answer')
    batch.shift(batch.count)
  }

  get looks(): number {
    return this.story.filter((event) => event !== 'answer').length
  }
}

/** The clock goes on by so many milliseconds each time that it is read. */
function driven({ step = 0, busyPoll = true } = {}) {
  const stack = new Stack({ random: seeded(1) })
  const link = new Scripted(busyPoll)
  let time = 0
  const clock = { now: () => (time += step), wall: () => 0 }
  const driver = new Driver(stack, { clock, random: seeded(2), alarm: () => ({ arm() {} }) })
  const { mtu, headroom, offload } = link
  const addresses = prefixes('10.0.0.2/24')
  driver.attach(link, stack.addInterface({ name: 'link0', mtu, headroom, offload, addresses }))
  const turn = (...found: Found[]) => {
    Object.assign(link, { found, story: [] })
    driver.turn()
    return link.story
  }
  return { driver, link, turn }
}

const nothing = (looks: number) => Array.from({ length: looks }, (): Found => 'nothing')
const many = (count: number, found: Found) => Array.from({ length: count }, () => found)
const looks = (count: number) => Array.from({ length: count }, () => 1)

test('long packets that come a little later are received in the same turn', () => {
  const { link, turn } = driven()
  turn('long', ...nothing(5), 'long', ...nothing(4), 'long')
  expect([link.looks, link.found.length]).toEqual([1 + 5 + 2 + 3 + 2 + 5, 0])
})

test('after six looks for long ones in vain the turn ends, and so it does with the first look after others', () => {
  const { link, turn } = driven()
  turn('long', ...nothing(6), 'long')
  expect([link.looks, link.found.length]).toEqual([7, 1])
  expect(turn()).toEqual([1])
})

test('it ends after sixteen rounds, however many packets there are', () => {
  const { link, turn } = driven()
  turn(...many(1000, 'long'))
  expect([link.looks, link.found.length]).toEqual([1 + 16 * 16, 1000 - 1 - 16 * 16])
})

test('it ends after a quarter of a millisecond', () => {
  const { link, turn } = driven({ step: 0.1 })
  // The clock is read when the turn begins, before it sends, and before each further look.
  turn('long', ...nothing(5), 'long')
  expect([link.looks, link.found.length]).toEqual([2, 5])
})

test('after short packets that need no answer nobody looks again, nor while somebody watches', () => {
  const { driver, turn } = driven()
  expect(turn('short', 'long')).toEqual([ROOM])
  const unwatch = driver.watch(() => {})
  expect(turn('long', 'long')).toEqual([1, 1, 1])
  unwatch()
})

test('where one short packet came alone, the next is answered before anybody looks for others', () => {
  const { turn } = driven()
  turn('question')
  expect(turn('question').slice(0, 3)).toEqual([1, 'answer', ROOM])
  expect(turn('question').slice(0, 3)).toEqual([1, 'answer', ROOM])
})

test('a second one behind it ends that', () => {
  const { turn } = driven()
  turn('question')
  expect(turn('question', 'question')).toEqual([1, 'answer', ROOM, 'answer'])
  expect(turn('question').slice(0, 2)).toEqual([ROOM, 'answer'])
})

test('a long one in its place makes the turn look for long ones', () => {
  const { turn } = driven()
  turn('short')
  expect(turn('long', 'long')).toEqual([1, 1, 1, ...looks(6)])
})

test('after an answer the turn looks for what answers that, and answers it', () => {
  const { link, turn } = driven()
  turn('question', ...nothing(40), 'question', ...nothing(62), 'question')
  expect(link.story).toEqual([ROOM, 'answer', ...looks(41), 'answer', ...looks(63), 'answer', ...looks(63)])
})

test('where nothing comes in 64 looks, that is not tried for a while', () => {
  const { turn } = driven()
  expect(turn('question')).toEqual([ROOM, 'answer', ...looks(64)])
  expect(turn('question')).toEqual([1, 'answer', ROOM])
  expect(turn('question')).toEqual([1, 'answer', ROOM, ...looks(64)])
})

test('a link that is not to be polled is not', () => {
  const { turn } = driven({ busyPoll: false })
  for (let count = 0; count < 3; count++) expect(turn('question')).toEqual([ROOM, 'answer'])
  expect(turn('long')).toEqual([ROOM])
  expect(turn('long')).toEqual([1, 1])
})

test('what is found after the answer is later than the turn: it may answer that, and a round trip takes its time', () => {
  const { driver, turn } = driven({ step: 0.01 })
  driver.watch(() => {})
  turn('question')
  const before = driver.now
  let seen = 0
  driver.time.after(0, () => (seen = driver.now))
  turn('question')
  // The clock was read for the timer, for the turn, for the answer, and once more.
  expect(seen - before).toBeCloseTo(0.04)
})

test('patience: twice as long a break each time, up to 1,024 answers, and none after the first that pays', () => {
  const patience = new Patience()
  const breaks: number[] = []
  for (let times = 0; times < 13; times++) {
    patience.tell(false)
    let answers = 0
    while (!patience.mayLook()) answers++
    breaks.push(answers)
  }
  expect(breaks).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024])
  patience.tell(true)
  expect(patience.mayLook()).toBe(true)
  patience.tell(false)
  expect([patience.mayLook(), patience.mayLook()]).toEqual([false, true])
})
