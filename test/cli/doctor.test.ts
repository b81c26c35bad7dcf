// `tunstack doctor`: its lines, its JSON and its exit code agree, whatever this machine has.
import { describe, expect, it } from 'vitest'
import type { Machine } from '../../src/node/machine.ts'
import { tunstack } from '../support/tunstack.ts'

describe('tunstack doctor', () => {
  it('examines everything, and says what to do about what is lacking', async () => {
    const { code, stdout, stderr } = await tunstack(['doctor', '--json'])
    const machine = JSON.parse(stdout) as Machine
    expect(stderr).toBe('')
    expect(code).toBe(machine.canOpenTun ? 0 : 3)
    const names = machine.checks.map(({ name }) => name)
    expect(names).toEqual(['node', 'system', 'addon', 'device', 'privilege', 'namespaces', 'offload', 'ipv6'])
    for (const { state, found, remedy } of machine.checks) {
      expect(found).not.toBe('')
      expect(remedy !== '').toBe(state === 'lacking')
    }
    expect(machine.checks[0]).toMatchObject({ state: 'ok', found: `Node ${process.versions.node}` })
  })

  it('prints a line for each, and the conclusion apart', async () => {
    const { stdout, stderr } = await tunstack(['doctor'])
    const lines = stdout.trim().split('\n')
    expect(lines).toHaveLength(8)
    for (const line of lines) expect(line).toMatch(/^(?:ok|lacking|unknown) +[a-z0-9]+ +\S.*\.$/)
    expect(stderr).toContain('"tunstack serve"')
  })
})
