// Express on a stack, unchanged: an application is a listener for requests.
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import express from 'express'
import { createStack } from 'tunstack'

const app = express()
app.use(express.json())
app.post('/greet', (request, response) => {
  response.json({ hello: request.body.name, from: request.ip })
})

const stack = await createStack()
stack.http.createServer(app).listen(80, '127.0.0.1')

const headers = { 'content-type': 'application/json' }
const request = stack.http.request('http://localhost/greet', { method: 'POST', headers })
request.end('{"name":"Ann"}')
const [response] = await once(request, 'response')
console.log(response.statusCode, await text(response))
stack.close()
