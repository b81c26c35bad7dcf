// `npm run bench -- [SUITE…] [--json] [--list]`: what single steps cost in time, by benny. Figures to compare on one machine,
// held against no bar. A suite is a file of this folder; with `--json` only the data goes to standard output.
import { parseArgs } from 'node:util'
import benny from 'benny'
import { checksum } from './checksum.ts'
import { echo } from './echo.ts'
import type { Suite } from './suite.ts'

/** New suites are added here. */
const suites: Record<string, Suite> = { checksum, echo }

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
  const summaries: unknown[] = []
  const print = console.log
  // benny announces each suite on standard output, whatever it is told.
  if (values.json) console.log = console.error
  for (const [name, suite] of chosen) {
    const cases = Object.entries(suite).map(([title, prepare]) => benny.add(title, prepare))
    const printing = values.json ? [] : [benny.cycle(), benny.complete()]
    const { results } = await benny.suite(name, ...cases, ...printing)
    summaries.push({
      suite: name,
      results: results.map(({ name: title, ops, margin, samples }) => ({
        name: title,
        nanoseconds: 1e9 / ops,
        ops,
        margin,
        samples,
      })),
    })
  }
  console.log = print
  if (values.json) console.log(JSON.stringify(summaries, null, 2))
}
