// docs/security.md names a test for each attack: it must be there.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const folder = new URL('./', import.meta.url)

const titles = new Map(
  readdirSync(folder)
    .filter((name) => name !== 'table.test.ts')
    .map((name) => [name.replace('.test.ts', ''), readFileSync(new URL(name, folder), 'utf8')]),
)
const rows = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((row) => row.startsWith('| ') && !/^\| (?:attack|---)/.test(row))
  .map((row) => row.split('|').map((cell) => cell.trim()))

test.each(rows.map((cells) => [cells[1], cells[4]]))('%s', (_, named) => {
  const [, file, title] = /^(\w+): (.+)$/.exec(named) ?? []
  expect(titles.get(file), `${named}: there is no such file`).toBeDefined()
  expect(titles.get(file)).toContain(`'${title}`)
})

test('no file of attacks is left out of the table', () => {
  expect(new Set(rows.map((cells) => cells[4].split(':')[0]))).toEqual(new Set(titles.keys()))
})
