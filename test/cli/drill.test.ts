// `tunstack drill`: exit codes, JSON, the table of what is expected, and a capture.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { tunstack } from '../support/tunstack.ts'

const GOOD = fileURLToPath(new URL('../scripts/language', import.meta.url))
const BAD = fileURLToPath(new URL('../drill/must-fail/wrong-ack.pkt', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tunstack-drill-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('tunstack drill', () => {
  it('ends with 0 only when every script passed, and shows where one did not', async () => {
    const good = await tunstack(['drill', GOOD, '--strict'])
    expect([good.code, good.stderr]).toEqual([0, ''])
    expect(good.stdout).toMatch(/^(\d+) scripts: \1 passed, 0 failed, 0 unsupported\n$/)
    const bad = await tunstack(['drill', join(GOOD, 'pieces.pkt'), BAD])
    expect(bad.code).toBe(1)
    expect(bad.stdout).toContain('wrong-ack.pkt:12: ack: expected 1002, got 1001')
    expect(bad.stdout).toContain('2 scripts: 1 passed, 1 failed, 0 unsupported')
  })

  it('prints JSON for machines, and writes a capture', async () => {
    const file = join(folder, 'all.pcapng')
    const { code, stdout } = await tunstack(['drill', BAD, '--json', '--pcap', file])
    expect(code).toBe(1)
    const [result] = JSON.parse(stdout)
    expect(result).toMatchObject({ path: BAD, outcome: 'fail', like: 'linux', line: 12 })
    expect(result.differences).toEqual([{ what: 'ack', expected: '1002', got: '1001' }])
    expect(readFileSync(file).readUInt32LE(0)).toBe(0x0a0d0d0a)
  })

  it('holds outcomes against a table, where what is worse is a failure and what is better is told of', async () => {
    writeFileSync(join(folder, 'one.pkt'), readFileSync(BAD))
    writeFileSync(join(folder, 'two.pkt'), readFileSync(join(GOOD, 'pieces.pkt')))
    const table = join(folder, 'table.tsv')
    const run = () => tunstack(['drill', folder, '--expected', table])
    writeFileSync(table, '# path\toutcome\treason\none.pkt\tfail\ta reason\ntwo.pkt\tpass\n')
    expect(await run()).toMatchObject({
      code: 0,
      stdout: '2 scripts: 1 passed, 1 failed, 0 unsupported\nas expected\n',
    })
    writeFileSync(table, 'one.pkt\tpass\ntwo.pkt\tfail\ta reason\n')
    const { code, stdout } = await run()
    expect(code).toBe(1)
    expect(stdout).toContain('two.pkt passes, and the table does not know it')
    expect(stdout).toContain('1 worse than expected')
  })
})
