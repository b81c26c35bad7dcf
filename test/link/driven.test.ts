// Links under the real driver: two stacks over a memory pair, one end impaired and captured.
import { expect, test } from 'vitest'
import { capture } from '../../src/link/capture.ts'
import { impaired } from '../../src/link/impaired.ts'
import { memory } from '../../src/link/memory.ts'
import { createStack, type PortableStack } from '../../src/runtime/create-stack.ts'
import { ManualTime } from '../support/manual-time.ts'
import { seeded } from '../support/seeded.ts'
import { collector, readPcapng } from './pcapng.ts'

function pair() {
  const time = new ManualTime()
  const [near, far] = memory()
  const { sink, file } = collector()
  const link = impaired(capture(near, sink), {}, seeded(1))
  const stacks = [link, far].map((end, at) => {
    const alarm = (callback: () => void) => time.alarm(callback)
    const stack = createStack({ environment: { clock: time, random: seeded(at), alarm } })
    stack.addInterface({ link: end, addresses: [`10.0.0.${at + 1}/24`] })
    return stack
  })
  const ping = async (stack: PortableStack, address: string, size = 56) => {
    const reply = stack.ping(address, { size })
    time.pass(2000)
    const { result, time: took } = await reply
    return [result, Number(took.toFixed(6))]
  }
  return { time, link, near: stacks[0], far: stacks[1], ping, file }
}

test('delays add up to the nanosecond, whoever asks', async () => {
  const { link, near, far, ping } = pair()
  expect(await ping(near, '10.0.0.2')).toEqual(['reply', 0])
  link.impair({ out: { delay: 7.25 }, in: { delay: 3 } })
  expect(await ping(near, '10.0.0.2')).toEqual(['reply', 10.25])
  expect(await ping(far, '10.0.0.1')).toEqual(['reply', 10.25])
  // 1,250 octets at 10 Mbit/s.
  link.impair({ rate: 10 })
  expect(await ping(near, '10.0.0.2', 1250 - 28)).toEqual(['reply', 12.25])
})

test('a partition is felt and heals', async () => {
  const { link, near, ping, file } = pair()
  link.partition('in')
  expect(await ping(near, '10.0.0.2')).toEqual(['timeout', 1000])
  link.heal()
  expect(await ping(near, '10.0.0.2')).toEqual(['reply', 0])
  expect(readPcapng(file()).map(({ direction }) => direction)).toEqual(['out', 'in', 'out', 'in'])
})

test('a thousand packets at once come through a rate one after the other', async () => {
  const { time, link, near } = pair()
  link.impair({ out: { rate: 8, queue: 2000 } })
  // 100 octets take 0.1 ms.
  const replies = Array.from({ length: 1000 }, () => near.ping('10.0.0.2', { size: 72 }))
  time.pass(1000)
  const times = (await Promise.all(replies)).map((reply) => reply.time)
  for (const [at, took] of times.entries()) expect(took).toBeCloseTo((at + 1) / 10, 6)
})
