// An HTTP server for comparisons, the same 612 octets from each: `ours NETNS` on a TUN device in that namespace, or `node`, which is
// node:http on the kernel's TCP. Says `ready` when it listens.
const [kind, netns] = process.argv.slice(2)
const body = Buffer.alloc(612, 'x')

if (kind === 'ours') {
  const { createHttpServer, createStack, HttpResponse, tun } = await import('../../dist/index.js')
  const stack = await createStack()
  stack.hold()
  const response = new HttpResponse(new Uint8Array(body), { headers: { 'Content-Type': 'text/plain' } })
  createHttpServer(() => response).listen(stack)
  const link = tun({ netns, name: 'tun0', address: '10.7.0.1/24' })
  stack.addInterface({ link, addresses: ['10.7.0.2/24'] })
} else {
  const { createServer } = await import('node:http')
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length })
    response.end(body)
  })
  await new Promise((resolve) => server.listen({ port: 80, backlog: 4096 }, resolve))
}
console.log('ready')
