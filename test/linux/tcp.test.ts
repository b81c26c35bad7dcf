// TCP against the kernel's, over a TUN device in a namespace: opened by either side, in both families, with offload and without.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStack, type NodeStack } from '../../src/node/create-stack.ts'
import { tun } from '../../src/node/tun.ts'
import { startServices } from '../../src/services/start.ts'
import { createNamespace, type Namespace, type Output, until } from '../support/namespace.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { echoThrough, type PeerReport } from '../support/transfer.ts'

const PEER = fileURLToPath(new URL('../../bench/clients/tcp-peer.mjs', import.meta.url))
const OCTETS = 10_000_000
const FAMILIES = [
  { family: 'IPv4', host: '10.7.0.1', address: '10.7.0.2' },
  { family: 'IPv6', host: 'fd00:7::1', address: 'fd00:7::2' },
]

describeOnKernel('TCP with the kernel', () => {
  let namespace: Namespace
  let stack: NodeStack

  async function begin(offload: boolean | 'software'): Promise<void> {
    stack = await createStack()
    const link = tun({ netns: namespace.name, address: ['10.7.0.1/24', 'fd00:7::1/64'], offload })
    stack.addInterface({ link, addresses: ['10.7.0.2/24', 'fd00:7::2/64'] })
    startServices(stack)
    // The kernel takes nothing to a new address of IPv6 until it has looked whether another has it.
    for (const { host } of FAMILIES) {
      await until(`the kernel answers as ${host}`, async () => {
        return (await stack.ping(host, { timeout: 100 })).result === 'reply'
      })
    }
  }

  beforeEach(() => {
    namespace = createNamespace()
  })

  afterEach(async () => {
    stack.close()
    await namespace.dispose()
  })

  const peer = (...args: (string | number)[]): Promise<Output> =>
    namespace.exec(process.execPath, [PEER, ...args.map(String)])

  async function startServer(port: number): Promise<void> {
    const child = namespace.start(process.execPath, [PEER, 'server', String(port)])
    await new Promise((resolve) => child.stdout?.once('data', resolve))
  }

  describe.each([true, false, 'software'] as const)('offload %s', (offload) => {
    beforeEach(() => begin(offload))

    it.each(FAMILIES)('echoes what a client of the kernel sends, and its end ($family)', async ({ address }) => {
      const { stdout, stderr } = await peer('client', address, 7, 2, OCTETS / 2, 1)
      expect(stderr).toBe('')
      const { results } = JSON.parse(stdout) as PeerReport
      const whole = { sent: OCTETS / 2, received: OCTETS / 2, isIntact: true }
      expect(results).toEqual([whole, whole])
    })

    it.each(FAMILIES)('opens to a server of the kernel, which echoes ($family)', async ({ host }) => {
      await startServer(7000)
      const { retransmissions, options, ...transfer } = await echoThrough(stack, host, 7000, OCTETS)
      expect(transfer).toEqual({ sent: OCTETS, received: OCTETS, isIntact: true, reason: 'none' })
    })
  })

  describe('by hand', () => {
    beforeEach(() => begin(true))

    it('is not there for a port that nobody listens at', async () => {
      const refused = () => stack.counters().drops.tcpNoConnection ?? 0
      const before = refused()
      const script = `require('net').connect(81, process.argv[1]).on('error', ({ code }) => console.log(code))`
      for (const { address } of FAMILIES) {
        expect((await namespace.exec(process.execPath, ['-e', script, address])).stdout).toBe('ECONNREFUSED\n')
      }
      // At the first SYN: the kernel sends another after a second.
      expect(refused() - before).toBe(FAMILIES.length)
    })

    it.each(FAMILIES)('is refused by a kernel where nobody listens ($family)', async ({ host }) => {
      const endpoint = stack.connect({ address: host, port: 81 })
      const { connection } = endpoint
      expect(await new Promise((resolve) => (endpoint.onClose = resolve))).toBe('refused')
      expect(connection.totalRetransmissions).toBe(0)
    })

    it('takes a reset for what it is', async () => {
      const script =
        'import socket, struct, sys\ns = socket.create_connection((sys.argv[1], 7))\ns.sendall(b"x")\ns.recv(1)\n' +
        's.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))\ns.close()'
      for (const { address } of FAMILIES) await namespace.exec('python3', ['-c', script, address])
      expect(stack.core.tcp.connectionCount).toBe(0)
      expect(stack.counters().counts.tcpResetsReceived).toBe(2)
    })

    it('tells the date and discards, to an ordinary client', async () => {
      const { stdout } = await namespace.exec('bash', ['-c', 'exec 3<>/dev/tcp/10.7.0.2/13; cat <&3'])
      expect(stdout).toMatch(/^\w+day, .* \d\d:\d\d:\d\d-UTC\r\n$/)
      expect((await namespace.exec('bash', ['-c', 'head -c 100000 /dev/zero >/dev/tcp/10.7.0.2/9'])).code).toBe(0)
    })

    it('closes a stack with a reset to each of its peers', async () => {
      const child = namespace.adopt(
        spawn('ip', [
          'netns',
          'exec',
          namespace.name,
          'bash',
          '-c',
          'exec 3<>/dev/tcp/10.7.0.2/7; echo ready; cat <&3',
        ]),
      )
      let errors = ''
      child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
      await new Promise((resolve) => child.stdout?.once('data', resolve))
      stack.close()
      await new Promise((resolve) => child.once('close', resolve))
      expect(errors).toContain('Connection reset by peer')
    })
  })
})
