// A gateway: each TCP connection to any address that comes through a TUN device is dialled by the kernel first, and accepted when
// that has answered; where it has not, the client is refused as if it had asked itself. NETNS names the namespace for the device.
import net from 'node:net'
import { pipeline } from 'node:stream'
import { createStack, tun } from 'tunstack'

const stack = await createStack()
const link = tun({ name: 'tun0', address: '10.7.0.1/24', netns: process.env.NETNS })
stack.addInterface({ link, name: 'tun0', addresses: ['10.7.0.2/24'], anyAddress: true })

const dialled = new Map<string, net.Socket>()
const server = stack.net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
  const name = `${client.remoteAddress} ${client.remotePort}`
  const target = dialled.get(name)
  dialled.delete(name)
  target?.setTimeout(0)
  if (target) pipeline(client, target, client, () => {})
  else client.destroy()
})
server.filter(
  ({ remoteAddress, remotePort, localAddress, localPort }) =>
    new Promise((resolve) => {
      const name = `${remoteAddress} ${remotePort}`
      const target = net.connect({ host: localAddress, port: localPort, allowHalfOpen: true, timeout: 9_000 })
      target.on('timeout', () => target.destroy())
      target.on('error', () => {})
      target.on('connect', () => {
        dialled.set(name, target)
        resolve('accept')
      })
      target.on('close', () => {
        dialled.delete(name)
        resolve('refuse')
      })
    }),
)
server.listen({ interface: 'tun0' }, () => console.log('through tun0 to anywhere'))
