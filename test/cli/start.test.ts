// `npm start` where no TUN device can be had: it shows the same stack in this process, and ends by itself. And where nothing was built.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { exec } from '../support/namespace.ts'
import { tunstack } from '../support/tunstack.ts'

describe('tunstack start, in memory', () => {
  it('shows what goes over the wire, in both families, and says what root would add', async () => {
    const { code, stdout, stderr } = await tunstack(['start', '--form', 'memory'])
    expect(code).toBe(0)
    const packets = stdout
      .trim()
      .split('\n')
      .map((line) =>
        line
          .replace(/^ *\d+\.\d\d ms {2}/, '')
          .replace(/\.1:\d+/, '.1:PORT')
          .replace(/1\]:\d+/, '1]:PORT'),
      )
    expect(packets.slice(0, 4)).toEqual([
      '10.7.0.1 → 10.7.0.2  ICMP echo request 1, 56 octets',
      '10.7.0.2 → 10.7.0.1  ICMP echo reply 1, 56 octets',
      '10.7.0.1:PORT → 10.7.0.2:7  UDP, 20 octets',
      expect.stringMatching(/^10\.7\.0\.2:7 → 10\.7\.0\.1:\w+ {2}UDP, 20 octets$/),
    ])
    expect(packets).toContain('fd00:7::2 → fd00:7::1  ICMPv6 echo reply 2, 56 octets')
    for (const flags of ['SYN', 'SYN ACK', 'FIN ACK']) expect(stdout).toContain(`TCP ${flags} seq`)
    expect(packets.at(-1)).toBe('10.7.0.2 → 10.7.0.1  ICMP unreachable (port)')
    expect(stderr).toContain('"hello from userspace" came back')
    expect(stderr).toContain('refused')
    expect(stderr).toContain('With root the same stack stands on a real device')
  })
})

describe('npm start', () => {
  it('says in one sentence that nothing has been built, and what builds it', async () => {
    const clone = mkdtempSync(join(tmpdir(), 'tunstack-start-'))
    try {
      for (const path of ['package.json', 'native/start.mjs'])
        cpSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), join(clone, path))
      const { code, stderr } = await exec('npm', ['start', '--silent'], { cwd: clone })
      expect(code).toBe(1)
      expect(stderr.split('\n').filter((line) => !line.startsWith('npm warn'))).toEqual([
        expect.stringMatching(
          /^tunstack: nothing is built here yet .*: run "npm install --include=dev", then "npm start" again\.$/,
        ),
        '',
      ])
    } finally {
      rmSync(clone, { recursive: true })
    }
  })
})
