// Attacks through a real TUN device, by the tools that others use for them: scapy, hping3, nmap. The stack outlives them, serves
// beside them, and counts what they sent.
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Drop } from '../../src/core/observer.ts'
import { createStack, type NodeStack } from '../../src/node/create-stack.ts'
import { tun } from '../../src/node/tun.ts'
import { startServices } from '../../src/services/start.ts'
import { createNamespace, type Namespace, until } from '../support/namespace.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { hasCommand } from '../support/tunstack.ts'

const SCRIPT = fileURLToPath(new URL('attacks.py', import.meta.url))

describeOnKernel('attacks through a TUN device', () => {
  let namespace: Namespace
  let stack: NodeStack

  beforeEach(async () => {
    namespace = createNamespace()
    stack = await createStack()
    const link = tun({ netns: namespace.name, address: ['10.7.0.1/24', 'fd00:7::1/64'] })
    stack.addInterface({ link, addresses: ['10.7.0.2/24', 'fd00:7::2/64'] })
    startServices(stack)
    await until('the kernel answers', async () => (await stack.ping('fd00:7::1', { timeout: 100 })).result === 'reply')
  })

  afterEach(async () => {
    stack.close()
    await namespace.dispose()
  })

  const drops = (reason: keyof typeof Drop) => stack.counters().drops[reason] ?? 0

  async function expectAlive(): Promise<void> {
    const { stdout } = await namespace.exec('bash', [
      '-c',
      'exec 3<>/dev/tcp/10.7.0.2/7; echo still here >&3; read -r back <&3; echo $back',
    ])
    expect(stdout).toBe('still here\n')
  }

  it('by scapy, each dropped by its reason', async ({ skip }) => {
    const { code, stdout, stderr } = await namespace.exec('/usr/bin/python3', [SCRIPT], { timeout: 50_000 })
    skip(stderr.includes('No module named'), 'scapy is missing')
    expect(`${code} ${stderr.replace(/^(?:WARNING|\S+ Warning|.*Crypto).*$/gm, '').trim()}`.trim()).toMatch(/^0( |$)/)
    const sent = stdout.trim().split('\n')
    expect(sent.at(-1)).toBe('alive')
    expect(sent.length).toBeGreaterThanOrEqual(13)
    const reasons = {
      land: 'ownSource',
      teardrop: 'fragmentOverlap',
      'ping of death': 'fragmentTooLong',
      'header length below five': 'badHeaderLength',
      'total length beyond the frame': 'badTotalLength',
      'option of length 0': 'badOptions',
      'source route': 'sourceRoute',
      'data offset beyond the segment': 'tcpBadOffset',
      'wrong checksum': 'tcpBadChecksum',
      'UDP length that lies': 'udpBadLength',
      'IP in IP': 'unknownProtocol',
      'too big, of a path that carries 68': 'icmpUnmatched',
      'port unreachable about nothing': 'icmpUnmatched',
      'routing header 0': 'routingHeader',
    } as const
    for (const [name, reason] of Object.entries(reasons)) {
      if (sent.includes(name))
        expect(drops(reason), `${name}: ${JSON.stringify(stack.counters().drops)}`).toBeGreaterThan(0)
    }
    await expectAlive()
  })

  it('by hping3: a SYN flood from everywhere, while a client is served', async ({ skip }) => {
    skip(!hasCommand('hping3'), 'hping3 is missing')
    await namespace.exec('hping3', ['-q', '-S', '-p', '7', '-c', '3000', '-i', 'u100', '--rand-source', '10.7.0.2'], {
      timeout: 30_000,
    })
    const { counts } = stack.counters()
    expect(counts.tcpReceived).toBeGreaterThan(1000)
    expect(stack.core.tcp.requestCount).toBeLessThanOrEqual(512)
    expect(stack.core.tcp.connectionCount).toBe(0)
    await expectAlive()
  })

  it('by nmap: its sequence numbers are as hard to guess as nmap knows, and nothing of it does harm', async ({
    skip,
  }) => {
    skip(!hasCommand('nmap'), 'nmap is missing')
    const words = [
      '-n',
      '-Pn',
      '-O',
      '-v',
      '-p',
      '7,9,81',
      '-T5',
      '--max-retries',
      '0',
      '--max-os-tries',
      '1',
      '10.7.0.2',
    ]
    const { stdout } = await namespace.exec('nmap', words, { timeout: 50_000 })
    // The last of nmap's words for it, behind a figure of about 260.
    expect(stdout).toMatch(/TCP Sequence Prediction: Difficulty=\d+ \(Good luck!\)/)
    expect(stdout).toMatch(/IP ID Sequence Generation: (?:All zeros|Randomized)/)
    await expectAlive()
  })
})
