// The network layer before a real kernel and its tools: a router's hops, path MTUs, open and closed ports. Every run is captured, and
// tshark finds no error in any. The long forms are `npm run prove -- network`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { createNamespace, exec, type Namespace } from '../support/namespace.ts'
import {
  askingsForEcho,
  fieldOf,
  pinged,
  readCapture,
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
  for (const program of ['tshark', 'nmap', 'traceroute', 'tracepath', 'python3'])
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
    const look = async (family: (typeof FAMILIES)[number]) => {
      expect(await tracepath(path.client, STACK[family])).toEqual({ mtu: 1400, hops: 3, reached: true })
      // The first is lost, and its loss tells.
      expect(await askingsForEcho(path.client, STACK[family], 1450)).toBe(2)
      expect(await askingsForEcho(path.client, STACK[family], 20_000)).toBe(1)
    }
    await Promise.all(FAMILIES.map(look))
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
})
