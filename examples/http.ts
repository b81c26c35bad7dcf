// node:http on a stack: a server, and a client that keeps its connection. Nothing of it touches the kernel's network.
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { createStack } from 'tunstack'

const stack = await createStack()
const server = stack.http.createServer((request, response) => {
  response.end(`${request.method} ${request.url} from ${request.socket.remoteAddress}`)
})
server.listen(80, '127.0.0.1')

const agent = new stack.http.Agent({ keepAlive: true })
for (const path of ['/one', '/two']) {
  const request = stack.http.get(`http://localhost${path}`, { agent })
  const [response] = await once(request, 'response')
  console.log(await text(response), request.reusedSocket ? 'on the same connection' : 'on a new connection')
}
stack.close()
