// node:tls, node:https and node:http2 on a stack: what runs above TLS sees addresses, options and errors of the connection below.
import { once } from 'node:events'
import type { ClientHttp2Session, Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from 'node:http2'
import { Duplex } from 'node:stream'
import tls, { type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStack, type NodeStack } from '../../../src/node/create-stack.ts'
import { kState } from '../../../src/node/net/base-socket.ts'
import type { StackSocket } from '../../../src/node/net/socket.ts'
import { makeCertificate } from '../../support/certificate.ts'
import { answerOf, closed, listening, textOf } from '../../support/web.ts'

const made = makeCertificate()
const pem = made ?? { key: '', cert: '' }
const describeWithOpenssl = made === null ? describe.skip : describe
const { cert: ca } = pem

let stack: NodeStack
beforeEach(async () => {
  stack = await createStack()
})
afterEach(() => stack.close())

/** The socket of the stack below one of TLS, on the server's side. */
async function rawOf(server: NodeJS.EventEmitter): Promise<StackSocket> {
  return ((await once(server, 'connection')) as [StackSocket])[0]
}

describeWithOpenssl('tls on a stack (openssl makes its certificate)', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('talks by %s, and both sides know each other', async (version) => {
    const server = stack.tls.createServer({ ...pem, minVersion: version, maxVersion: version }, (socket) => {
      socket.end(JSON.stringify([socket.getProtocol(), socket.remoteAddress, socket.localPort]))
    })
    const port = await listening(server)
    const socket = stack.tls.connect({ port, host: '127.0.0.1', ca })
    expect(socket.connecting).toBe(true)
    await once(socket, 'connect')
    expect(socket.connecting).toBe(false)
    await once(socket, 'secureConnect')
    expect([socket.authorized, socket.remoteAddress, socket.remotePort]).toEqual([true, '127.0.0.1', port])
    expect(JSON.parse(await textOf(socket))).toEqual([version, '127.0.0.1', port])
    await closed(server)
  })

  it('connects by a port, a host, options and a listener', async () => {
    const server = stack.tls.createServer(pem)
    const port = await listening(server)
    const socket = await new Promise<TLSSocket>((resolve) => {
      const opening: TLSSocket = stack.tls.connect(port, '127.0.0.1', { ca, servername: 'localhost' }, () =>
        resolve(opening),
      )
    })
    expect(socket.authorized).toBe(true)
    socket.destroy()
  })

  it('lets options and references through to the socket below, once', async () => {
    const server = stack.tls.createServer(pem)
    const port = await listening(server)
    const arriving = rawOf(server)
    const secured = once(server, 'secureConnection') as Promise<[TLSSocket]>
    const client = stack.tls.connect({ port, host: '127.0.0.1', ca })
    const [raw, [socket]] = await Promise.all([arriving, secured])
    const state = raw[kState]
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 5000)
    expect([state.noDelay, state.keepAlive, state.keepAliveDelay]).toEqual([true, true, 5])
    socket.unref()
    expect(raw._handle?.hasRef()).toBe(false)
    socket.ref()
    expect(raw._handle?.hasRef()).toBe(true)
    expect(socket.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port })
    client.destroy()
  })

  it('says why there is no connection', async () => {
    const [refused] = await once(stack.tls.connect({ port: 9, host: '127.0.0.1' }), 'error')
    expect(refused).toMatchObject({ code: 'ECONNREFUSED', address: '127.0.0.1', port: 9 })
    const [unknown] = await once(stack.tls.connect({ port: 9, host: 'nowhere.test' }), 'error')
    expect(unknown).toMatchObject({ code: 'ENOTFOUND' })
    const server = stack.tls.createServer(pem)
    const port = await listening(server)
    const [distrusted] = await once(stack.tls.connect({ port, host: '127.0.0.1' }), 'error')
    expect(distrusted).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    expect(() => stack.tls.connect({ path: '/tmp/pipe' })).toThrow(/pipe/i)
  })

  it('passes a reset on, and closes what is below with what is above', async () => {
    const server = stack.tls.createServer(pem)
    const port = await listening(server)
    const arriving = rawOf(server)
    const client = stack.tls.connect({ port, host: '127.0.0.1', ca })
    await once(client, 'secureConnect')
    ;(await arriving).resetAndDestroy()
    const [error] = await once(client, 'error')
    expect(error.code).toBe('ECONNRESET')
    const again = rawOf(server)
    const second = stack.tls.connect({ port, host: '127.0.0.1', ca })
    const raw = await again
    await once(second, 'secureConnect')
    const gone = once(raw, 'close')
    second.destroy()
    await gone
    await closed(server)
  })

  it('aborts by a signal, and tells of quiet', async () => {
    const server = stack.tls.createServer(pem)
    const port = await listening(server)
    const abort = new AbortController()
    const socket = stack.tls.connect({ port, host: '127.0.0.1', ca, signal: abort.signal } as tls.ConnectionOptions)
    await once(socket, 'secureConnect')
    abort.abort()
    expect((await once(socket, 'error'))[0].name).toBe('AbortError')
    const quiet = stack.tls.connect({ port, host: '127.0.0.1', ca, timeout: 20 })
    await once(quiet, 'timeout')
    quiet.destroy()
    await closed(server)
  })

  it('carries megabytes both ways', async () => {
    const server = stack.tls.createServer(pem, (socket) => socket.pipe(socket))
    const port = await listening(server)
    const socket = stack.tls.connect({ port, host: '127.0.0.1', ca })
    const large = Buffer.alloc(4_000_000, 'abcdefghijk')
    socket.end(large)
    expect((await textOf(socket)) === large.toString()).toBe(true)
  })

  it('leaves TLS over other streams as it was', async () => {
    const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    void stack.tls
    const socket = new tls.TLSSocket(stream)
    expect([socket.remoteAddress, socket.address()]).toEqual([undefined, {}])
    expect(socket.setNoDelay().setKeepAlive(true).unref().ref()).toBe(socket)
    socket.destroy()
  })
})

describeWithOpenssl('https on a stack (openssl makes its certificate)', () => {
  it('serves, knows its clients, and takes up sessions of TLS again', async () => {
    const server = stack.https.createServer({ ...pem, maxVersion: 'TLSv1.2' }, ({ socket }, response) => {
      response
        .setHeader('connection', 'close')
        .end(`${socket.remoteAddress} ${(socket as TLSSocket).isSessionReused()}`)
    })
    const port = await listening(server)
    const agent = new stack.https.Agent({ ca })
    expect((await answerOf(stack.https.get({ port, host: '127.0.0.1', agent }))).text).toBe('127.0.0.1 false')
    expect((await answerOf(stack.https.get({ port, host: '127.0.0.1', agent }))).text).toBe('127.0.0.1 true')
    expect((await answerOf(stack.https.get(`https://localhost:${port}/`, { ca }))).text).toMatch('127.0.0.1')
    await closed(server)
  })
})

describeWithOpenssl('http2 on a stack (openssl makes its certificate)', () => {
  const whoAsks = ({ url, socket, stream }: Http2ServerRequest, response: Http2ServerResponse) => {
    response.end(JSON.stringify([url, socket.remoteAddress, stream.session?.socket.localPort]))
  }

  async function ask(session: ClientHttp2Session, path: string): Promise<unknown> {
    return JSON.parse(await textOf(session.request({ ':path': path }).setEncoding('utf8')))
  }

  it.each(['http', 'https'] as const)('serves many streams by %s, and knows its clients', async (scheme) => {
    const { http2 } = stack
    const server = scheme === 'http' ? http2.createServer(whoAsks) : http2.createSecureServer(pem, whoAsks)
    const port = await listening(server)
    const session = http2.connect(`${scheme}://127.0.0.1:${port}`, { ca })
    const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => ask(session, `/${at}`)))
    expect(answers).toEqual(Array.from({ length: 40 }, (_, at) => [`/${at}`, '127.0.0.1', port]))
    expect([session.socket.remoteAddress, session.socket.remotePort]).toEqual(['127.0.0.1', port])
    expect(session.alpnProtocol).toBe(scheme === 'http' ? 'h2c' : 'h2')
    session.close()
    await closed(server)
  })

  it('falls back to HTTP/1.1 for who asks so', async () => {
    const server = stack.http2.createSecureServer({ ...pem, allowHTTP1: true }, ({ httpVersion, socket }, response) => {
      response.end(`${httpVersion} ${socket.remoteAddress}`)
    })
    const port = await listening(server)
    const { text } = await answerOf(stack.https.get({ port, host: '127.0.0.1', ca, agent: false }))
    expect(text).toBe('1.1 127.0.0.1')
    await closed(server)
  })

  it('says why there is no session, and learns of its end', async () => {
    for (const scheme of ['http', 'https']) {
      const [refused] = await once(stack.http2.connect(`${scheme}://127.0.0.1:9`), 'error')
      expect(refused).toMatchObject({ code: 'ECONNREFUSED', port: 9 })
    }
    const server = stack.http2.createServer()
    const port = await listening(server)
    const arriving = rawOf(server)
    const session = stack.http2.connect(`http://127.0.0.1:${port}`)
    await once(session, 'connect')
    ;(await arriving).resetAndDestroy()
    expect((await once(session, 'error'))[0].code).toBe('ECONNRESET')
    expect(session.destroyed).toBe(true)
    await closed(server)
  })

  it('takes references of a session to the socket below', async () => {
    const server = stack.http2.createServer()
    const port = await listening(server)
    const arriving = Promise.all([rawOf(server), once(server, 'session') as Promise<[ServerHttp2Session]>])
    const session = stack.http2.connect(`http://127.0.0.1:${port}`)
    const [raw, [own]] = await arriving
    own.unref()
    expect(raw._handle?.hasRef()).toBe(false)
    own.ref()
    expect(raw._handle?.hasRef()).toBe(true)
    session.destroy()
  })
})
