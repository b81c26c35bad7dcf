// ws on a stack: a chat server, and two clients of it.
import { once } from 'node:events'
import { createStack } from 'tunstack'
import { WebSocket, WebSocketServer } from 'ws'

const stack = await createStack()
const server = stack.http.createServer()
const chat = new WebSocketServer({ server })
chat.on('connection', (socket, request) => {
  socket.on('message', (words) => {
    for (const client of chat.clients) client.send(`${request.socket.remoteAddress} says ${words}`)
  })
})
server.listen(80, '127.0.0.1')

const agent = new stack.http.Agent()
const [ann, bob] = [new WebSocket('ws://localhost/', { agent }), new WebSocket('ws://localhost/', { agent })]
await Promise.all([once(ann, 'open'), once(bob, 'open')])
const heard = Promise.all([once(ann, 'message'), once(bob, 'message')])
ann.send('hello')
for (const [words] of await heard) console.log(String(words))
stack.close()
