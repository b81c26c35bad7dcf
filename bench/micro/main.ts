// `npm run bench -- [SUITE…] [--json] [--list]`: what single steps cost in time, by benny. Figures to compare on one machine,
// held against no bar. A suite is a file of this folder; with `--json` only the data goes to standard output.
import { parseArgs } from 'node:util'
import benny from 'benny'
import { checksum } from './checksum.ts'
import { datagrams } from './datagrams.ts'
import { demux } from './demux.ts'
import { echo } from './echo.ts'
import { handshake } from './handshake.ts'
import { recovery } from './recovery.ts'
import { requests } from './requests.ts'
import { segments } from './segments.ts'
import { reconnects } from './storm.ts'
import type { Measured, Prepare, Suite } from './suite.ts'
import { timers } from './timers.ts'
import { transfer } from './transfer.ts'
import { watching } from './watching.ts'

/** New suites are added here. */
const suites: Record<string, Suite> = {
  checksum,
  datagrams,
  echo,
  handshake,
  recovery,
  reconnects,
  requests,
  segments,
  demux,
  timers,
  transfer,
  watching,
}

/** Seconds that a case is sampled. */
const SAMPLING = 2
/** Milliseconds that it runs before. */
const WARM_UP = 500

interface Result {
  name: string
  nanoseconds: number
  ops: number
  margin: number
  samples: number
  /** What a call handles, by the second. */
  rates: Record<string, number>
  figures: Record<string, number>
}

/** benny asks for a case's call several times, and some take long to prepare. The compiler has done its work before the first sample. */
function once(prepare: Prepare): Prepare {
  let call: (() => unknown) | null = null
  return () => (call ??= warmedUp(prepare()))
}

function warmedUp(call: () => unknown): () => unknown {
  for (const until = performance.now() + WARM_UP; performance.now() < until; ) {
    // What takes turns of the event loop warms up in its first samples.
    if (call() instanceof Promise) break
  }
  return call
}

function prepareOf(one: Prepare | Measured): Prepare {
  return once(typeof one === 'function' ? one : one.prepare)
}

/** By the median, since what else the machine does makes some samples slow and none quick. */
function resultOf(one: Prepare | Measured, { name, margin, samples, details }: Sampled): Result {
  const handled = typeof one === 'function' ? {} : one.handles()
  const ops = 1 / details.median
  const rates = Object.fromEntries(Object.entries(handled).map(([unit, count]) => [unit, count * ops]))
  return { name, nanoseconds: 1e9 / ops, ops, margin, samples, rates, figures: {} }
}

type Sampled = Pick<Result, 'name' | 'margin' | 'samples'> & { details: { median: number } }

function print({ name, nanoseconds, margin, rates, figures }: Result): void {
  const facts = [
    `${duration(nanoseconds)} ±${margin.toFixed(1)}%`,
    ...Object.entries(rates).map(([unit, rate]) => `${quantity(rate)} ${unit}/s`),
    ...Object.entries(figures).map(([unit, figure]) => `${figure.toFixed(1)} ${unit}`),
  ]
  console.log(`  ${name}\n    ${facts.join(', ')}`)
}

function duration(nanoseconds: number): string {
  if (nanoseconds < 10_000) return `${nanoseconds.toPrecision(3)} ns`
  if (nanoseconds < 10_000_000) return `${(nanoseconds / 1_000).toPrecision(4)} µs`
  return `${(nanoseconds / 1_000_000).toPrecision(4)} ms`
}

function quantity(count: number): string {
  if (count < 1e6) return Math.round(count).toLocaleString('en')
  return count < 1e9 ? `${(count / 1e6).toPrecision(3)} million` : `${(count / 1e9).toPrecision(3)} thousand million`
}

async function run(name: string, suite: Suite): Promise<Result[]> {
  const cases = Object.entries(suite).map(([title, one]) => benny.add(title, prepareOf(one), { maxTime: SAMPLING }))
  const { results } = await benny.suite(name, ...cases)
  const own: Result[] = []
  for (const sampled of results) {
    const one = suite[sampled.name]
    const result = resultOf(one, sampled)
    if (typeof one !== 'function' && one.figures !== undefined) result.figures = await one.figures()
    own.push(result)
  }
  return own
}

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean' }, list: { type: 'boolean' } },
  allowPositionals: true,
})
const unknown = positionals.filter((name) => !(name in suites))
const chosen = Object.entries(suites).filter(([name]) => positionals.length === 0 || positionals.includes(name))

if (unknown.length > 0) {
  console.error(`There is no suite ${unknown.join(', ')}; there are ${Object.keys(suites).join(', ')}.`)
  process.exitCode = 2
} else if (values.list) {
  console.log(chosen.map(([name]) => name).join('\n'))
} else {
  const summaries: { suite: string; results: Result[] }[] = []
  const { log } = console
  // benny announces each suite on standard output, whatever it is told.
  if (values.json) console.log = console.error
  for (const [name, suite] of chosen) {
    const results = await run(name, suite)
    if (!values.json) for (const result of results) print(result)
    summaries.push({ suite: name, results })
  }
  console.log = log
  if (values.json) console.log(JSON.stringify(summaries, null, 2))
}
