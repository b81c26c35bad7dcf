// node:http2 on a stack, with TLS and in clear: both sides know each other's address.
import { once } from 'node:events'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { text } from 'node:stream/consumers'
import { createStack } from 'tunstack'
import { makeCertificate } from './certificate.js'

const { key, cert } = makeCertificate()
const stack = await createStack()
const answer = ({ url, socket }: Http2ServerRequest, response: Http2ServerResponse) => {
  response.end(`${url} from ${socket.remoteAddress}`)
}
stack.http2.createSecureServer({ key, cert }, answer).listen(443, '127.0.0.1')
stack.http2.createServer(answer).listen(80, '127.0.0.1')

for (const origin of ['https://localhost', 'http://localhost']) {
  const session = stack.http2.connect(origin, { ca: cert })
  await once(session, 'connect')
  const { remoteAddress, remotePort } = session.socket
  const answers = await Promise.all(['/one', '/two'].map((path) => text(session.request({ ':path': path }))))
  console.log(`${session.alpnProtocol} at ${remoteAddress} ${remotePort}:`, answers.join(', '))
  session.close()
}
stack.close()
