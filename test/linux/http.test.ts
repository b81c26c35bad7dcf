// The HTTP server and iperf3's server with the kernel's clients over a TUN device: curl, iperf3 both ways and with several streams.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHttpServer, type HttpServer } from '../../src/http/server.ts'
import { site } from '../../src/http/site.ts'
import { createStack, type NodeStack } from '../../src/node/create-stack.ts'
import { tun } from '../../src/node/tun.ts'
import { startServices } from '../../src/services/start.ts'
import { createNamespace, type Namespace, until } from '../support/namespace.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { hasCommand } from '../support/tunstack.ts'

describeOnKernel('servers for everybody', () => {
  let namespace: Namespace
  let stack: NodeStack
  let server: HttpServer

  beforeAll(async () => {
    namespace = createNamespace()
    stack = await createStack()
    const link = tun({ netns: namespace.name, address: ['10.7.0.1/24', 'fd00:7::1/64'] })
    stack.addInterface({ link, addresses: ['10.7.0.2/24', 'fd00:7::2/64'] })
    startServices(stack)
    server = createHttpServer(site({ stack, server: () => server, files: null })).listen(stack)
    await until('the kernel answers', async () => (await stack.ping('fd00:7::1', { timeout: 100 })).result === 'reply')
  })

  afterAll(async () => {
    stack.close()
    await namespace.dispose()
  })

  describe.skipIf(!hasCommand('curl'))('curl', () => {
    const curl = async (...args: string[]) => (await namespace.exec('curl', ['-sS', ...args])).stdout

    it.each(['10.7.0.2', '[fd00:7::2]'])('gets the start page from %s', async (host) => {
      expect(await curl(`http://${host}/`)).toContain('You have reached tunstack')
    })

    it('sends octets, with a length and in chunks', async () => {
      const input = 'x'.repeat(3_000_000)
      const run = (args: string[]) =>
        namespace.exec('curl', ['-sS', ...args, 'http://10.7.0.2/_tunstack/count'], { input })
      expect((await run(['--data-binary', '@-'])).stdout).toBe('{"octets":3000000}')
      expect((await run(['-T', '-'])).stdout).toBe('{"octets":3000000}')
    })

    it('asks a hundred times on one connection', async () => {
      const words = ['-w', '%{num_connects}', '-o', '/dev/null', 'http://10.7.0.2/none?[1-100]']
      expect(await curl(...words)).toBe(`1${'0'.repeat(99)}`)
    })
  })

  describe.skipIf(!hasCommand('iperf3'))('iperf3', () => {
    it.each([[[]], [['-R']], [['-P', '8']], [['-R', '-P', '8']]])('%s', async (args) => {
      const words = ['-c', '10.7.0.2', '-n', '50M', '-J', ...args]
      const { stdout } = await namespace.exec('iperf3', words)
      const { error, end } = JSON.parse(stdout)
      expect(error).toBeUndefined()
      expect(end.sum_received.bytes).toBeGreaterThan(1_000_000)
      expect(end.streams.length).toBe(args.includes('-P') ? 8 : 1)
    })

    it.each([
      ['10.7.0.2', []],
      ['10.7.0.2', ['-R']],
      ['10.7.0.2', ['--bidir']],
      ['10.7.0.2', ['-P', '4', '-R']],
      ['10.7.0.2', ['--udp-counters-64bit', '--bidir']],
      ['fd00:7::2', ['-l', '1200', '--bidir']],
    ])('%s -u %s', async (address, args) => {
      const words = ['-c', address, '-u', '-b', '20M', '-n', '1M', '-J', ...args]
      const { stdout } = await namespace.exec('iperf3', words)
      const { error, end } = JSON.parse(stdout)
      expect(error).toBeUndefined()
      const sums = args.includes('--bidir') ? [end.sum, end.sum_bidir_reverse] : [end.sum]
      const streams = args.includes('-P') ? 4 : 1
      for (const { bits_per_second, packets, lost_packets, jitter_ms } of sums) {
        // Two fifths of a second: on a busy machine a part of it may go by elsewhere.
        expect(bits_per_second).toBeGreaterThan(streams * 8e6)
        expect(bits_per_second).toBeLessThan(streams * 25e6)
        expect(packets).toBeGreaterThan(500)
        expect(lost_packets).toBe(0)
        expect(jitter_ms).toBeGreaterThan(0)
        expect(jitter_ms).toBeLessThan(100)
      }
    })

    it('both ways at once', async () => {
      const { stdout } = await namespace.exec('iperf3', ['-c', '10.7.0.2', '--bidir', '-P', '2', '-n', '50M', '-J'])
      const { error, end } = JSON.parse(stdout)
      expect(error).toBeUndefined()
      expect(end.streams.length).toBe(4)
      expect(end.sum_received.bytes).toBeGreaterThan(1_000_000)
      expect(end.sum_received_bidir_reverse.bytes).toBeGreaterThan(1_000_000)
    })

    it('at a rate, without the first second', async () => {
      const words = ['-c', '10.7.0.2', '-b', '40M', '-l', '16K', '-O', '1', '-t', '1', '-R', '-J']
      const { stdout } = await namespace.exec('iperf3', words)
      const { error, end } = JSON.parse(stdout)
      expect(error).toBeUndefined()
      for (const { bits_per_second } of [end.sum_sent, end.sum_received]) {
        expect(bits_per_second).toBeGreaterThan(30e6)
        expect(bits_per_second).toBeLessThan(50e6)
      }
    })
  })
})
