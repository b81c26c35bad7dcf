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
      const words = ['-c', '10.7.0.2', '-t', '1', '-J', ...args]
      const { stdout } = await namespace.exec('iperf3', words)
      const { error, end } = JSON.parse(stdout)
      expect(error).toBeUndefined()
      expect(end.sum_received.bytes).toBeGreaterThan(1_000_000)
      expect(end.streams.length).toBe(args.includes('-P') ? 8 : 1)
    })

    it('is told that UDP is not there yet', async () => {
      const { stdout } = await namespace.exec('iperf3', ['-u', '-c', '10.7.0.2', '-t', '1', '-J'])
      expect(JSON.parse(stdout).error).toContain('not implemented')
    })
  })
})
