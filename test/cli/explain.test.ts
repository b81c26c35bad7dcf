// `tunstack explain`: what it prints, draws and refuses; and the example of the documentation, which is what a scenario gives.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Output } from '../support/namespace.ts'
import { root } from '../support/source-tree.ts'
import { tunstackEach } from '../support/tunstack.ts'

const folder = mkdtempSync(join(tmpdir(), 'tunstack-explain-'))
afterAll(() => rmSync(folder, { recursive: true }))
const [file, text, picture] = ['page.pcapng', 'text.txt', 'picture.svg'].map((name) => join(folder, name))
let outcomes: Output[]

beforeAll(async () => {
  writeFileSync(text, 'this is no capture')
  outcomes = await tunstackEach([
    ['simulate', 'head-of-line', '--pcap', file],
    ['explain', file, '--stream', '3', '--plot', picture],
    ['explain', file, '--json'],
    ['explain', file, '--json', '--stream', '3'],
    ['explain', file, '--stream', '4'],
    ['explain', text],
    ['explain', join(folder, 'missing')],
  ])
})

it('tells and draws what the documentation shows (npm run scenarios writes it anew)', () => {
  const [, { code, stdout, stderr }] = outcomes
  expect([code, stderr]).toEqual([0, `wrote ${picture}\n`])
  const shown = readFileSync(join(root, 'docs/explain.md'), 'utf8')
  expect(shown).toContain(`\`\`\`\n${stdout}\`\`\``)
  expect(readFileSync(picture, 'utf8')).toBe(readFileSync(join(root, 'docs/pictures/explain.svg'), 'utf8'))
})

it('prints JSON, one stream or all, and refuses what it can not read', () => {
  const [, , all, one, none, wrong, missing] = outcomes
  const streams = ({ stdout }: Output) =>
    JSON.parse(stdout).conversations.map(({ stream }: { stream: number }) => stream)
  expect([streams(all), streams(one)]).toEqual([[0, 1, 2, 3], [3]])
  expect([none.code, none.stderr]).toEqual([1, 'tunstack: There is no stream 4: the capture has 4, from 0 on.\n'])
  expect([wrong.code, wrong.stderr]).toEqual([
    1,
    `tunstack: ${text}: there are no packets: the file is no capture: neither pcapng nor pcap.\n`,
  ])
  expect(missing.code).toBe(1)
  expect(missing.stderr).toBe(`tunstack: There is no ${join(folder, 'missing')} (ENOENT).\n`)
})
