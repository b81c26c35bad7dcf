// `tunstack simulate`: what it prints and writes, scenarios from files, and what is wrong with those in one sentence.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { tunstackEach } from '../support/tunstack.ts'

const folder = mkdtempSync(join(tmpdir(), 'tunstack-simulate-'))
afterAll(() => rmSync(folder, { recursive: true }))

const brief = {
  title: 'Two hosts',
  length: 500,
  hosts: { one: {}, other: {} },
  links: [{ between: ['one', 'other'], both: { rate: 10, delay: 10 }, forward: { loss: 0.02 } }],
  flows: [{ from: 'one', to: 'other' }],
}

function written(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('tunstack simulate', () => {
  const json = written('brief.json', JSON.stringify(brief))
  const module = written('brief.mjs', `export default ${JSON.stringify({ ...brief, seed: 'x' })}`)

  it('prints a table, and writes pictures and packets', async () => {
    const [out, pcap] = [join(folder, 'out'), join(folder, 'packets.pcapng')]
    const { code, stdout, stderr } = (await tunstackEach([['simulate', json, '--out', out, '--pcap', pcap]]))[0]
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^Two hosts \(seed 1, 0\.5 s\)\n\nflow +controller +Mbit\/s .*\none to other +cubic +\d+\.\d\d /,
    )
    expect(stderr.split('\n').filter((line) => line.startsWith('wrote '))).toHaveLength(3)
    expect(readdirSync(out).sort()).toEqual(['brief-goodput.svg', 'brief-rtt.svg', 'brief-window.svg'])
    expect(readFileSync(pcap).readUInt32LE(0)).toBe(0x0a0d0d0a)
  })

  it('takes scenarios from JSON and from modules, with a seed of theirs or of ours', async () => {
    const lines = [[json], [json, '--seed', '1'], [module, '--seed', '1'], [module], [json, '--seed', 'x']]
    const outcomes = await tunstackEach(lines.map((words) => ['simulate', ...words, '--json']))
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0])
    const [own, one, moduleOne, moduleOwn, other] = outcomes.map(({ stdout }) => stdout)
    expect([one, moduleOne]).toEqual([own, own])
    expect(other).toBe(moduleOwn)
    expect(other).not.toBe(own)
    const { title, seed, flows, lost } = JSON.parse(own)
    expect([title, seed, flows.length]).toEqual(['Two hosts', 1, 1])
    expect(flows[0].retransmitted).toBeGreaterThan(0)
    expect(lost).toBeGreaterThan(0)
  })

  it('lists what there is, and prints one to begin with', async () => {
    const [list, all, printed] = await tunstackEach([
      ['simulate', '--list'],
      ['simulate', '--list', '--json'],
      ['simulate', 'fat-pipe', '--print'],
    ])
    const names = list.stdout.split('\n').map((line) => line.split(' ')[0])
    expect(names.filter((name) => name !== '')).toHaveLength(11)
    expect(JSON.parse(all.stdout).map(({ name }: { name: string }) => name)).toEqual(names.slice(0, 11))
    expect(JSON.parse(printed.stdout).title).toBe('A clean fat pipe')
  })

  it('says in a sentence what is wrong with a file', async () => {
    mkdirSync(join(folder, 'folder.json'))
    const wrong: [path: string, said: RegExp][] = [
      [written('broken.json', '{'), /broken\.json is no JSON: /],
      [written('wrong.json', '{"title": 5}'), /wrong\.json: title is a text, not 5\.$/],
      [written('empty.mjs', 'export const a = 1'), /empty\.mjs has no default export/],
      [written('throws.mjs', 'throw new Error("on purpose")'), /throws\.mjs could not be loaded: on purpose\.$/],
      [join(folder, 'missing.json'), /ENOENT/],
      [join(folder, 'missing.mjs'), /ENOENT/],
      [join(folder, 'folder.json'), /EISDIR/],
    ]
    const outcomes = await tunstackEach(wrong.map(([path]) => ['simulate', path]))
    for (const [number, [, said]] of wrong.entries()) {
      const { code, stdout, stderr } = outcomes[number]
      expect(stderr.trim()).toMatch(said)
      expect(stderr.trim().split('\n')).toHaveLength(1)
      expect([code !== 0, stdout]).toEqual([true, ''])
    }
  })
})
