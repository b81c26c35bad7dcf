// `tunstack get` over a TUN device to the kernel's TCP: a server of node:http.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createNamespace, type Namespace, type Output, until } from '../support/namespace.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { tunstack } from '../support/tunstack.ts'

const SERVER = `
require('node:http').createServer(async (request, response) => {
  let octets = 0
  for await (const piece of request) octets += piece.length
  if (request.url === '/moved') return response.writeHead(302, { Location: '/chunked' }).end()
  if (request.url === '/large') return response.end(Buffer.alloc(20_000_000, 'x'))
  if (request.url === '/chunked') return response.write('one '), response.end('two')
  if (request.url === '/closed') return response.useChunkedEncodingByDefault = false, response.setHeader('Connection', 'close'),
    response.removeHeader('Transfer-Encoding'), response.end('closed')
  response.setHeader('X-Port', request.socket.remotePort)
  response.end(request.method + ' ' + octets)
}).listen(8080, '::', () => console.log('ready'))`

describeOnKernel('get over a TUN device', () => {
  let namespace: Namespace

  beforeAll(async () => {
    namespace = createNamespace()
    let isReady = false
    namespace.start(process.execPath, ['-e', SERVER]).stdout?.once('data', () => (isReady = true))
    await until('the server listens', () => isReady)
  })

  afterAll(() => namespace.dispose())

  const get = (...args: string[]): Promise<Output> => tunstack(['get', '--netns', namespace.name, ...args])

  it.each(['10.7.0.1', '[fd00:7::1]'])('asks %s', async (host) => {
    expect(await get(`http://${host}:8080/`)).toMatchObject({ code: 0, stdout: 'GET 0', stderr: '' })
  })

  it('reads chunks, and what ends with the connection, and follows where it has moved', async () => {
    expect((await get('10.7.0.1:8080/chunked')).stdout).toBe('one two')
    expect((await get('10.7.0.1:8080/closed')).stdout).toBe('closed')
    expect((await get('-L', '10.7.0.1:8080/moved')).stdout).toBe('one two')
  })

  it('sends 100 kB and takes ten times 20 MB on one connection', async () => {
    expect((await get('-X', 'PUT', '-d', 'x'.repeat(100_000), '10.7.0.1:8080/')).stdout).toBe('PUT 100000')
    const { stdout } = await get('--json', '--repeat', '10', '10.7.0.1:8080/large')
    const all: { octets: number; handshake: number | null; tcp: { local: string } }[] = JSON.parse(stdout)
    expect(all.map(({ octets }) => octets)).toEqual(Array.from({ length: 10 }, () => 20_000_000))
    expect(new Set(all.map(({ tcp }) => tcp.local)).size).toBe(1)
    expect(all.map(({ handshake }) => handshake !== null)).toEqual([true, ...Array.from({ length: 9 }, () => false)])
  })

  it('tells that nobody listens', async () => {
    expect(await get('10.7.0.1:81')).toMatchObject({ code: 1, stdout: '' })
  })
})
