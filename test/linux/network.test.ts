// The network layer before a real kernel and its tools: a router's hops, path MTUs, open and closed ports, a stream of UDP, attacks
// on reassembly. Every run is captured, and tshark finds no error in any. The long forms are `npm run prove -- network`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { FRAGMENT_LIMITS } from '../../src/core/ip/fragments.ts'
import { createNamespace, exec, type Namespace, until } from '../support/namespace.ts'
import {
  askingsForEcho,
  buildClient,
  fieldOf,
  pinged,
  readCapture,
  runClient,
  tracepath,
  traceroute,
  udpStates,
} from '../support/network-clients.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { CLIENT, GATEWAYS, RoutedPath } from '../support/routed-path.ts'
import { ServedStack } from '../support/served-stack.ts'
import { serve } from '../support/tunstack.ts'

const ROOT = new URL('../../', import.meta.url)
const STACK = { ipv4: '10.7.0.2', ipv6: 'fd00:7::2' }
const FAMILIES = ['ipv4', 'ipv6'] as const

const folder = mkdtempSync(join(tmpdir(), 'tunstack-network-'))
const disposables: { dispose(): Promise<void> }[] = []
const missing = new Set<string>()

function disposed<Item extends { dispose(): Promise<void> }>(item: Item): Item {
  disposables.push(item)
  return item
}

const anotherNamespace = (): Namespace => disposed(createNamespace())

/** The file of a capture that must hold packets and no error. */
async function expectReadable(file: string): Promise<void> {
  if (missing.has('tshark')) return
  const { packets, errors } = await readCapture(file)
  expect(packets).toBeGreaterThan(0)
  expect(errors).toEqual([])
}

beforeAll(async () => {
  for (const program of ['tshark', 'nmap', 'traceroute', 'tracepath', 'python3', 'cc'])
    if ((await exec('which', [program])).code !== 0) missing.add(program)
})

afterEach(async () => {
  for (const one of disposables.splice(0).reverse()) await one.dispose()
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describeOnKernel('the network layer', () => {
  it('is a hop of traceroute where it forwards', async ({ skip }) => {
    skip(missing.has('traceroute'), 'traceroute is missing')
    const [near, far] = [anotherNamespace(), anotherNamespace()]
    const file = join(folder, 'forward.pcapng')
    const running = await serve(near, '--forward', '--netns2', far.name, '--capture', file)
    expect(await traceroute(near, '10.8.0.1')).toEqual(['10.7.0.2', '10.8.0.1'])
    expect(await traceroute(near, 'fd00:8::1')).toEqual(['fd00:7::2', 'fd00:8::1'])
    await running.stop()
    await expectReadable(file)
  })

  it('learns the MTU of a path with a narrow link, as tracepath does', async ({ skip }) => {
    skip(missing.has('tracepath') || missing.has('python3'), 'tracepath or python3 is missing')
    const path = disposed(await RoutedPath.make(1400))
    const file = join(folder, 'path.pcapng')
    const stack = await ServedStack.start(ROOT, path.edge, { gateways: GATEWAYS, file, offload: false })
    for (const family of FAMILIES) {
      expect(await tracepath(path.client, STACK[family])).toEqual({ mtu: 1400, hops: 3, reached: true })
      // The first is lost, and its loss tells.
      expect(await askingsForEcho(path.client, STACK[family], 1450)).toBe(2)
      expect(await askingsForEcho(path.client, STACK[family], 20_000)).toBe(1)
    }
    expect((await stack.look()).counts.pathMtuLearned).toBe(2)
    await stack.stop()
    await expectReadable(file)
    if (missing.has('tshark')) return
    const lengths = await fieldOf(
      file,
      `ip.src == ${STACK.ipv4} && ip.dst == ${CLIENT.ipv4} && ip.flags.mf == 1`,
      'ip.len',
    )
    expect(new Set(lengths)).toEqual(new Set(['1396']))
  })

  it('gets through to an IPv6 peer behind a link of 1,280 octets', async ({ skip }) => {
    skip(missing.has('tracepath') || missing.has('python3'), 'tracepath or python3 is missing')
    const path = disposed(await RoutedPath.make(1280))
    const file = join(folder, 'smallest.pcapng')
    const stack = await ServedStack.start(ROOT, path.edge, { gateways: GATEWAYS, file, offload: false })
    expect((await tracepath(path.client, STACK.ipv6)).mtu).toBe(1280)
    const { transmitted, received } = await pinged(path.client, '-c', '10', '-i', '0.05', '-s', '1400', STACK.ipv6)
    expect([transmitted, received]).toEqual([10, 9])
    expect(await askingsForEcho(path.client, STACK.ipv6, 5000)).toBe(1)
    expect((await stack.look()).counts.pathMtuLearned).toBe(1)
    await stack.stop()
    await expectReadable(file)
  })

  it('has ports that nmap finds open and closed', async ({ skip }) => {
    skip(missing.has('nmap'), 'nmap is missing')
    const namespace = anotherNamespace()
    const file = join(folder, 'nmap.pcapng')
    const running = await serve(namespace, '--services', '--offload', 'off', '--capture', file)
    for (const family of FAMILIES)
      expect(await udpStates(namespace, STACK[family], 7, 1234)).toEqual({ 7: 'open', 1234: 'closed' })
    await running.stop()
    await expectReadable(file)
  })

  it('counts what a kernel sender sends: what discard has not seen, the device has dropped', async ({ skip }) => {
    skip(missing.has('cc'), 'there is no C compiler')
    const namespace = anotherNamespace()
    const stack = await ServedStack.start(ROOT, namespace)
    const program = (await buildClient(ROOT, 'udp-send', folder)) as string
    let all = 0
    for (const family of FAMILIES) {
      const { sent } = await runClient(namespace, program, STACK[family], 9, 50_000, 1, 100)
      expect(sent).toBe(50_000)
      all += sent
    }
    const device = JSON.parse((await namespace.exec('ip', ['-j', '-s', 'link', 'show', 'tun0'])).stdout)[0]
    const expected = all - device.stats64.tx.dropped
    await until('discard has counted them', async () => (await stack.look()).discarded.datagrams === expected)
    expect(expected / all).toBeGreaterThan(0.9)
  })

  it.for(['first', 'overlap', 'lies'])('holds out against 10,000 fragments: %s', async (kind, { skip }) => {
    skip(missing.has('cc'), 'there is no C compiler')
    const namespace = anotherNamespace()
    const stack = await ServedStack.start(ROOT, namespace)
    const program = (await buildClient(ROOT, 'fragments', folder)) as string
    const before = await stack.reset()
    const [ping, sent] = await Promise.all([
      pinged(namespace, '-i', '0.01', '-c', '60', STACK.ipv4),
      runClient(namespace, program, kind, 'tun0', 10_000, 20_000),
    ])
    const { counts, most } = await stack.look()
    expect(counts.ipReceived).toBeGreaterThanOrEqual(sent.sent)
    expect(ping.received).toBe(ping.transmitted)
    expect(most.fragmentOctets).toBeLessThanOrEqual(FRAGMENT_LIMITS.octets)
    expect(most.residentMegabytes - before.most.residentMegabytes).toBeLessThan(40)
    for (const address of [STACK.ipv4, STACK.ipv6])
      expect((await pinged(namespace, '-i', '0.01', '-c', '3', '-s', '30000', address)).received).toBe(3)
  })
})
