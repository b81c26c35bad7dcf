// What `tunstack explain` counts against tshark's analysis of the same file, and against the counters of whoever sent: our stack in virtual
// time, and the kernel over a path that loses packets, captured by dumpcap.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { explain } from '../../src/inspect/explain/explain.ts'
import type { Impairment } from '../../src/link/impairment.ts'
import type { HostOptions } from '../../src/simulate/host.ts'
import { Network } from '../../src/simulate/network.ts'
import { createNamespace, type Namespace, until } from '../support/namespace.ts'
import { fieldOf } from '../support/network-clients.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { hasCommand, serve, tunstack } from '../support/tunstack.ts'

const folder = mkdtempSync(join(tmpdir(), 'tunstack-explain-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A transfer between two stacks, captured at one of them; returns the file, and how often its sender sent again. */
function transfer(name: string, at: 0 | 1, impairment: Impairment, tcp: HostOptions['tcp'] = {}) {
  const network = new Network({ seed: 4 })
  const hosts = ['a', 'b'].map((one) => network.host(one, { tcp }))
  network.link(hosts[0], hosts[1], { delay: 10, rate: 10, ...impairment })
  const blocks: Uint8Array[] = []
  hosts[at].ports[0].tapped.tap((block) => void blocks.push(block))
  hosts[1].stack.listen({ port: 80 }).onConnection = (endpoint) => {
    endpoint.onReadable = () => endpoint.look((_bytes, _start, length) => length)
  }
  const endpoint = hosts[0].stack.connect({ address: hosts[1].address, port: 80 })
  endpoint.onOpen = () => void endpoint.lend(new Uint8Array(300_000))
  network.advance(120_000)
  const file = join(folder, `${name}.pcapng`)
  writeFileSync(file, Buffer.concat(blocks))
  return { file, again: endpoint.connection.totalRetransmissions }
}

function figuresOf(file: string) {
  const { conversations } = explain(readFileSync(file)).explanation
  expect(conversations).toHaveLength(1)
  const [one, other] = conversations[0].sides
  return { again: one.retransmittedSegments, late: one.outOfOrder, duplicates: other.duplicateAcks, octets: one.octets }
}

async function tsharkCounts(file: string) {
  const lines = await fieldOf(
    file,
    'tcp.analysis.retransmission || tcp.analysis.out_of_order || tcp.analysis.duplicate_ack',
    '_ws.expert.message',
  )
  const with_ = (words: RegExp) => lines.filter((line) => words.test(line)).length
  // Below three milliseconds after what overtook it, it takes a segment that was sent again for one that was late.
  return { behind: with_(/retransmission|out-of-order/i), duplicates: with_(/Duplicate ACK/) }
}

const SETTINGS: [name: string, at: 0 | 1, impairment: Impairment, tcp: HostOptions['tcp']][] = [
  ['losses-at-the-sender', 0, { loss: 0.01, queue: 50 }, {}],
  [
    'bursts-without-options',
    0,
    { burstLoss: { fraction: 0.05, length: 4 } },
    { timestamps: false, selectiveAcks: false },
  ],
  ['reordering', 1, { reorder: 0.02, reorderDelay: 5, loss: 0.01 }, {}],
]

describe.skipIf(!hasCommand('tshark'))('beside tshark', () => {
  it.each(SETTINGS)('counts the same: %s', async (name, at, impairment, tcp) => {
    const { file, again } = transfer(name, at, impairment, tcp)
    const ours = figuresOf(file)
    const theirs = await tsharkCounts(file)
    expect(ours.octets).toBe(300_000)
    expect(ours.again).toBe(again)
    expect(ours.again + ours.late).toBe(theirs.behind)
    expect(Math.abs(ours.duplicates - theirs.duplicates)).toBeLessThanOrEqual(1)
    expect(theirs.behind).toBeGreaterThan(3)
  })
})

describeOnKernel("the kernel's TCP", () => {
  let namespace: Namespace
  beforeAll(async () => {
    namespace = createNamespace()
    const impairment = 'loss=0.02,delay=5'
    await serve(namespace, '--services', '--offload', 'off', '--impair-in', impairment, '--impair-seed', '3')
  })
  afterAll(() => namespace.dispose())

  it.skipIf(!hasCommand('dumpcap') || !hasCommand('tshark'))('sends again as often as is told', async () => {
    const file = join(folder, 'kernel.pcapng')
    const capture = namespace.start('dumpcap', ['-q', '-i', 'tun0', '-f', 'tcp', '-w', file])
    let said = ''
    capture.stderr?.setEncoding('utf8').on('data', (words: string) => (said += words))
    await until('dumpcap captures', () => said.includes('File: '))
    const before = await retransmissions()
    const sent = await namespace.exec('bash', ['-c', 'head -c 600000 /dev/zero > /dev/tcp/10.7.0.2/9'])
    expect(sent.code).toBe(0)
    // The file grows while it is read, and may end in the middle of a packet: then tshark fails.
    const closes = () => fieldOf(file, 'tcp.flags.fin == 1', 'frame.number').catch(() => [])
    await until('both sides have closed', async () => (await closes()).length >= 2)
    const again = (await retransmissions()) - before
    await namespace.stop(capture, 'SIGINT')
    const ours = figuresOf(file)
    const theirs = await tsharkCounts(file)
    expect(again).toBeGreaterThan(2)
    expect([ours.again, ours.late, ours.octets]).toEqual([again, 0, 600_000])
    expect(theirs.behind).toBe(again)
    const told = await tunstack(['explain', file, '--plot', join(folder, 'kernel.svg')])
    expect([told.code, told.stderr]).toEqual([0, `wrote ${join(folder, 'kernel.svg')}\n`])
    expect(told.stdout).toMatch(
      /handshake: SYN-ACK .* options: .* fast retransmit, after .* closes first \(FIN\), after 600,000 octets/s,
    )
    expect(readFileSync(join(folder, 'kernel.svg'), 'utf8')).toContain('class="again" d="M')
  })

  async function retransmissions(): Promise<number> {
    const { stdout } = await namespace.exec('cat', ['/proc/net/snmp'])
    const [names, values] = stdout.split('\n').filter((line) => line.startsWith('Tcp: '))
    return Number(values.split(' ')[names.split(' ').indexOf('RetransSegs')])
  }
})
