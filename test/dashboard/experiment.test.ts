// The experiment of the dashboard's page without the page: what it does with its settings, and that it can be repeated packet by packet.
import { expect, test } from 'vitest'
import { type Flight, Side } from '../../src/dashboard/conversation.ts'
import { Experiment } from '../../src/dashboard/experiment.ts'
import { lineOf } from '../../src/dashboard/segment-words.ts'
import {
  DEFAULTS,
  MORE_RANGES,
  PRESETS,
  placeOf,
  RANGES,
  type Settings,
  valueAt,
} from '../../src/dashboard/settings.ts'

function play(settings: Partial<Settings>, wanted?: ReadonlySet<number>): Experiment {
  const experiment = new Experiment({ ...DEFAULTS, loss: 0, size: 100_000, ...settings }, wanted)
  experiment.run(Number.POSITIVE_INFINITY)
  return experiment
}

const story = ({ conversation }: Experiment) =>
  conversation.log.map(({ at, kind, flight }) => [at, kind, flight.number])
const isText = ({ from, segment }: Flight) => from === Side.server && segment.length > 0

test('a clean path: every octet arrives, both ends go through their states, and the window grows', () => {
  const { conversation, delivered, isDone } = play({})
  expect(isDone).toBe(true)
  expect(delivered.at(-1)?.octets).toBe(100_000)
  expect(conversation.flights.filter(({ isLost, isAgain }) => isLost || isAgain)).toEqual([])
  expect(conversation.flights.slice(0, 3).map(lineOf)).toEqual(['SYN', 'SYN ACK 1', '1–25'])
  const way = (side: Side) => conversation.states.filter((change) => change.side === side).map(({ to }) => to)
  expect(way(Side.client)).toEqual(['SYN-SENT', 'ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED'])
  expect(way(Side.server)).toEqual(['LISTEN', 'SYN-RECEIVED', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT'])
  const windows = conversation.samples[Side.server].map(({ cwnd }) => cwnd)
  expect(Math.max(...windows)).toBeGreaterThan(2 * windows[0])
})

test('one seed gives one run, another seed another, and it may be run in pieces', () => {
  const settings = { loss: 3 }
  const whole = story(play(settings))
  expect(story(play(settings))).toEqual(whole)
  expect(story(play({ ...settings, seed: 2 }))).not.toEqual(whole)
  const inPieces = new Experiment({ ...DEFAULTS, size: 100_000, ...settings })
  for (let until = 5; !inPieces.isDone; until += 5) inPieces.run(until)
  expect(story(inPieces)).toEqual(whole)
})

test('while it still runs, the fate of whatever is shown is known', () => {
  const settings = { ...DEFAULTS, loss: 5, size: 150_000, reorder: 3 }
  const whole = play(settings).conversation.flights
  const experiment = new Experiment(settings)
  for (let until = 50; !experiment.isDone; until += 50) {
    experiment.run(until)
    const shown = experiment.conversation.flights.filter(
      ({ sentAt }) => sentAt <= experiment.now - experiment.longestFlight,
    )
    for (const { number, isLost, arrivedAt } of shown)
      expect([number, isLost, arrivedAt]).toEqual([number, whole[number - 1].isLost, whole[number - 1].arrivedAt])
  }
  expect(whole.some(({ isLost }) => isLost)).toBe(true)
})

test('what is lost is sent again, and what somebody wants to be lost alone', () => {
  const before = play({})
  const victim = before.conversation.flights.filter(isText)[20]
  const { conversation, delivered } = play({}, new Set([victim.number]))
  expect(conversation.flights.filter(({ isLost }) => isLost).map(({ number }) => number)).toEqual([victim.number])
  const again = conversation.flights.filter(({ isAgain }) => isAgain)
  expect(again.map(({ start, end }) => [start, end])).toEqual([[victim.start, victim.end]])
  expect(delivered.at(-1)?.octets).toBe(100_000)
  // Up to there the two runs are the same.
  const until = before.conversation.log.findIndex(({ flight }) => flight === victim)
  expect(story({ conversation } as Experiment).slice(0, until)).toEqual(story(before).slice(0, until))
})

test('for every segment it is known why it was sent, and for every change of state what brought it about', () => {
  const { conversation } = play({ loss: 2, size: 300_000 })
  const { flights, states, roundTrips } = conversation
  expect(flights.filter(({ reason }) => reason === null || reason.text === '').map(lineOf)).toEqual([])
  const again = flights.filter(({ isAgain }) => isAgain).map(({ reason }) => reason?.text)
  expect(again.filter((text) => !/retransmi|TLP probe/.test(text ?? ''))).toEqual([])
  expect(flights[0].reason).toMatchObject({ text: 'opens a connection', section: 'RFC 9293 §3.5' })
  expect(states.map(({ cause }) => cause).filter((cause) => cause === '')).toEqual([])
  expect(states.map(({ at }) => at)).toEqual(states.map(({ at }) => at).sort((one, other) => one - other))
  expect(roundTrips[Side.server].length).toBeGreaterThan(20)
})

test('blocks of SACK lie where the numbers of the other direction say', () => {
  const { conversation } = play({ loss: 3, size: 300_000 })
  const blocks = conversation.flights.flatMap(({ sack, acked }) => sack.map(([left, right]) => [acked, left, right]))
  expect(blocks.length).toBeGreaterThan(5)
  for (const [acked, left, right] of blocks) {
    expect(left).toBeLessThan(right)
    expect(right).toBeGreaterThan(0)
    expect(right).toBeLessThanOrEqual(300_002)
    expect(acked).toBeLessThanOrEqual(300_002)
  }
})

test.each(PRESETS)('the path "$name" comes to its end', ({ settings }) => {
  const {
    conversation,
    delivered,
    settings: all,
  } = play({ ...settings, size: Math.min(150_000, settings.size ?? 1e9) })
  expect(delivered.at(-1)?.octets).toBe(all.size)
  expect(conversation.states.at(-1)?.to).toMatch(/CLOSED|TIME-WAIT/)
})

test.each(['cubic', 'reno', 'bbr'] as const)('%s sends it all', (controller) => {
  const { delivered, conversation } = play({ controller, loss: 2, size: 100_000 })
  expect(delivered.at(-1)?.octets).toBe(100_000)
  expect(conversation.samples[Side.server].length).toBeGreaterThan(50)
})

test('sliders keep what they are set to', () => {
  for (const range of [...RANGES, ...MORE_RANGES]) {
    for (const place of [0, 0.25, 0.5, 1]) {
      const value = valueAt(range, place)
      expect(value).toBeGreaterThanOrEqual(range.from)
      expect(value).toBeLessThanOrEqual(range.to)
      expect(valueAt(range, placeOf(range, value))).toBe(value)
    }
  }
})
