// `npm run scenarios`: runs every scenario that comes with the package, and writes docs/scenarios.md, the example of docs/explain.md, and their pictures.
// With --check nothing is written: exit code 1 where what stands there is not what comes out.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SCENARIOS } from '../../src/scenario/library.ts'
import { runScenario } from '../../src/scenario/run.ts'
import { EXPLAIN_PAGE, EXPLAIN_PICTURE, explained, PAGE, PICTURES, page, type Section, section } from './page.ts'

const { values } = parseArgs({ options: { check: { type: 'boolean' } } })

const sections: Section[] = []
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  const began = performance.now()
  sections.push(section(name, await runScenario(scenario)))
  console.error(`${name.padEnd(14)} ${((performance.now() - began) / 1000).toFixed(1)} s`)
}
const files = new Map<string, string>([[PAGE, page(sections)]])
for (const { pictures } of sections) for (const { name, svg } of pictures) files.set(join(PICTURES, name), svg)
const story = await explained(readFileSync(EXPLAIN_PAGE, 'utf8'))
files.set(EXPLAIN_PAGE, story.page).set(EXPLAIN_PICTURE, story.picture)

mkdirSync(PICTURES, { recursive: true })
const stray = readdirSync(PICTURES)
  .map((name) => join(PICTURES, name))
  .filter((path) => !files.has(path))
if (values.check) {
  const other = [...files].filter(([path, text]) => read(path) !== text).map(([path]) => path)
  for (const path of other) console.error(`${path} is not what comes out (npm run scenarios writes it anew)`)
  for (const path of stray) console.error(`${path} belongs to no scenario`)
  if (other.length + stray.length > 0) process.exitCode = 1
  else console.error(`${files.size} files are what comes out, octet for octet`)
} else {
  for (const path of stray) rmSync(path)
  for (const [path, text] of files) writeFileSync(path, text)
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
