// undici on a stack: its fetch and its request, by a dispatcher whose connections are the stack's.
import { createStack } from 'tunstack'
import { Agent, fetch, request } from 'undici'
import { makeCertificate } from './certificate.js'

const { key, cert } = makeCertificate()
const stack = await createStack({ hosts: { 'api.test': '127.0.0.1' } })
stack.http.createServer((incoming, response) => incoming.pipe(response)).listen(80, '127.0.0.1')
stack.https.createServer({ key, cert }, ({ url }, response) => response.end(url)).listen(443, '127.0.0.1')

const dispatcher = new Agent({ connect: stack.connector({ ca: cert }) })
const answer = await fetch('http://api.test/', { method: 'POST', body: 'hello', dispatcher })
console.log(answer.status, await answer.text())
const { statusCode, body } = await request('https://localhost/secret', { dispatcher })
console.log(statusCode, await body.text())
await dispatcher.close()
stack.close()
