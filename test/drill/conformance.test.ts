// The scripts of others, where they lie beside the repository: each is read whole, and the table of what they come to names each.
// What they come to is .ci/run's affair: `tunstack drill ../shared/packetdrill --expected test/conformance/expected.tsv`.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from '../../src/drill/parser.ts'

const FOLDER = fileURLToPath(new URL('../../../shared/packetdrill', import.meta.url))
const TABLE = fileURLToPath(new URL('../conformance/expected.tsv', import.meta.url))

const rows = readFileSync(TABLE, 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('\t'))

it('has a reason for every script that does not pass', () => {
  expect(rows.length).toBeGreaterThan(0)
  for (const [name, outcome, reason = ''] of rows) {
    expect(['pass', 'fail', 'unsupported'], name).toContain(outcome)
    if (outcome !== 'pass') expect(reason.length, name).toBeGreaterThan(20)
  }
})

describe.skipIf(!existsSync(FOLDER))(`the scripts in ${FOLDER}`, () => {
  const names = existsSync(FOLDER)
    ? readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pkt'))
    : []

  it('are those of the table', () => {
    expect(rows.map(([name]) => name).sort()).toEqual(names.sort())
  })

  it('are read, with all their events', () => {
    for (const name of names)
      expect(parse(readFileSync(join(FOLDER, name), 'utf8')).events.length, name).toBeGreaterThan(2)
  })
})
