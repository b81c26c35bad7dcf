// Fastify on a stack, unchanged: it asks for a server, and gets the stack's.
import fastify from 'fastify'
import { createStack } from 'tunstack'
import { Agent, request } from 'undici'

const stack = await createStack()
const app = fastify({ serverFactory: (handler) => stack.http.createServer(handler) })
app.get('/greet/:name', async ({ params, ip }) => ({ hello: (params as { name: string }).name, from: ip }))
console.log(await app.listen({ port: 80, host: '127.0.0.1' }))

const dispatcher = new Agent({ connect: stack.connector() })
const { statusCode, body } = await request('http://localhost/greet/ann', { dispatcher })
console.log(statusCode, await body.text())
await dispatcher.close()
await app.close()
stack.close()
