// node:https and node:tls on a stack: a server of HTTPS that knows its client's address, and two clients of it.
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { createStack } from 'tunstack'
import { makeCertificate } from './certificate.js'

const { key, cert } = makeCertificate()
const stack = await createStack()
const server = stack.https.createServer({ key, cert }, ({ url, socket }, response) => {
  response.end(`${url} from ${socket.remoteAddress} by ${(socket as TLSSocket).getProtocol()}`)
})
server.listen(443, '127.0.0.1')

const [response] = await once(stack.https.get('https://localhost/one', { ca: cert }), 'response')
console.log(await text(response))

const socket = stack.tls.connect({ port: 443, host: 'localhost', ca: cert, maxVersion: 'TLSv1.2' })
socket.write('GET /two HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
console.log((await text(socket)).split('\r\n\r\n')[1], socket.authorized ? 'with a certificate that fits' : '')
stack.close()
