// The network layer under floods of a real kernel: a stream of UDP, of which every datagram is counted, and attacks on reassembly, while
// others are served. The long forms are `npm run prove -- network`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { FRAGMENT_LIMITS } from '../../src/core/ip/fragments.ts'
import { createNamespace, type Namespace, until } from '../support/namespace.ts'
import { buildClient, pinged, runClient } from '../support/network-clients.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { ServedStack } from '../support/served-stack.ts'
import { hasCommand } from '../support/tunstack.ts'

const ROOT = new URL('../../', import.meta.url)
const ADDRESSES = ['10.7.0.2', 'fd00:7::2']

const hasCompiler = hasCommand('cc')
const folder = mkdtempSync(join(tmpdir(), 'tunstack-floods-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Nothing where there is no compiler. */
const build = async (name: string) => (await buildClient(ROOT, name, folder)) ?? ''

describeOnKernel('under a flood the network layer', () => {
  let programs: { stream: string; fragments: string }
  let namespace: Namespace
  let stack: ServedStack

  beforeAll(async () => {
    const [stream, fragments] = await Promise.all([build('udp-send'), build('fragments')])
    programs = { stream, fragments }
  })

  beforeEach(async ({ skip }) => {
    skip(!hasCompiler, 'there is no C compiler')
    namespace = createNamespace()
    stack = await ServedStack.start(ROOT, namespace)
  })

  afterEach(() => namespace?.dispose())

  it('counts what a kernel sender sends: what discard has not seen, the device has dropped', async () => {
    let all = 0
    for (const address of ADDRESSES) {
      const { sent } = await runClient(namespace, programs.stream, address, 9, 50_000, 1, 100)
      expect(sent).toBe(50_000)
      all += sent
    }
    const device = JSON.parse((await namespace.exec('ip', ['-j', '-s', 'link', 'show', 'tun0'])).stdout)[0]
    const expected = all - device.stats64.tx.dropped
    await until('discard has counted them', async () => (await stack.look()).discarded.datagrams === expected)
    expect(expected / all).toBeGreaterThan(0.9)
  })

  it.for(['first', 'overlap', 'lies'])('holds out against 10,000 fragments: %s', async (kind) => {
    const before = await stack.reset()
    const [ping, sent] = await Promise.all([
      pinged(namespace, '-i', '0.01', '-c', '60', ADDRESSES[0]),
      runClient(namespace, programs.fragments, kind, 'tun0', 10_000, 20_000),
    ])
    const { counts, most } = await stack.look()
    expect(counts.ipReceived).toBeGreaterThanOrEqual(sent.sent)
    expect(ping.received).toBe(ping.transmitted)
    expect(most.fragmentOctets).toBeLessThanOrEqual(FRAGMENT_LIMITS.octets)
    expect(most.residentMegabytes - before.most.residentMegabytes).toBeLessThan(40)
    for (const address of ADDRESSES)
      expect((await pinged(namespace, '-i', '0.01', '-c', '3', '-s', '30000', address)).received).toBe(3)
  })
})
