// 'tunstack/core' in a browser: its size, and two stacks in a page of headless Chromium, with no module of Node's and nothing in their place.
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { exec } from '../support/namespace.ts'
import { hasCommand } from '../support/tunstack.ts'

const CHROMIUM = '/usr/bin/chromium'
const CLIENT = fileURLToPath(new URL('../../bench/clients/core-in-page.mjs', import.meta.url))
const OCTETS = 10_000_000
/** Octets of all of tunstack/core, compressed. */
const MOST = 200_000

describe.skipIf(!hasCommand(CHROMIUM))(`in Chromium${hasCommand(CHROMIUM) ? '' : ' (skipped: it is not here)'}`, () => {
  it('exchanges 10 MB each way, and fetches a page from the HTTP server', async () => {
    const { stdout, stderr } = await exec(process.execPath, [CLIENT, CHROMIUM, String(OCTETS)], { timeout: 50_000 })
    expect(stderr).toBe('')
    const { whole, exchanged, status, page, shims, faults } = JSON.parse(stdout)
    console.log(`tunstack/core: ${whole.octets} octets, ${whole.compressed} compressed (at most ${MOST})`)
    expect(faults).toEqual([])
    expect(shims).toEqual([])
    expect(exchanged).toEqual([OCTETS, OCTETS])
    expect({ status, page }).toEqual({ status: 200, page: '<!doctype html><title>/from/the/page</title>' })
    expect(whole.compressed).toBeLessThanOrEqual(MOST)
  })
})
