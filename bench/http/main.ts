// `npm run bench:http`: requests a second, ours beside node:http, at several numbers of connections. `--seconds 3 --rounds 3`.
import { parseArgs } from 'node:util'
import { Contest, type Load } from './compare.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string' }, rounds: { type: 'string' } } })
const seconds = Number(values.seconds ?? 3)
const rounds = Number(values.rounds ?? 3)
const LOADS: [string, Pick<Load, 'connections' | 'isShort'>][] = [
  ['1 connection', { connections: 1, isShort: false }],
  ['64 connections', { connections: 64, isShort: false }],
  ['1000 connections', { connections: 1000, isShort: false }],
  ['a connection for each, 64 at a time', { connections: 64, isShort: true }],
]

const contest = await Contest.begin()
try {
  console.log(`612 octets, wrk with one thread, the median of ${rounds} rounds of ${seconds} s each, by turns:`)
  for (const [name, load] of LOADS) {
    const { ours, node } = await contest.measure({ ...load, seconds, rounds })
    const figures = [ours.rate, node.rate].map((rate) => Math.round(rate).toLocaleString('en'))
    const complaints = [...ours.errors, ...node.errors].join('; ')
    const ratio = (ours.rate / node.rate).toFixed(2)
    console.log(
      `${name}: ours ${figures[0]}/s, node:http ${figures[1]}/s, ratio ${ratio}${complaints && ` (${complaints})`}`,
    )
  }
} finally {
  await contest.end()
}
