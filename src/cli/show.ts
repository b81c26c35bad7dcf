// Two stacks in this process, joined by a link of two callbacks, with every packet between them printed: what `npm start`
// shows where no TUN device can be had.
import { createStack, describePacket, type NodeStack, type PacketsLink, packets, startServices } from '../index.ts'
import { say, styled, tell } from './output.ts'

const SERVER = { ipv4: '10.7.0.2', ipv6: 'fd00:7::2' }
const CLIENT = { ipv4: '10.7.0.1', ipv6: 'fd00:7::1' }
const ECHO = 7
const DAYTIME = 13
const PATIENCE = 1000

export async function showInMemory(): Promise<void> {
  say('Without a TUN device: two stacks in this process, and every packet between them as it goes over the wire.')
  const server = await createStack()
  const client = await createStack()
  try {
    startServices(server)
    join(client, server)
    for (const family of ['ipv4', 'ipv6'] as const) {
      await showPing(client, SERVER[family])
      await showEcho(client, SERVER[family], family === 'ipv6')
    }
    await showDate(client, SERVER.ipv4)
    await showRefusal(client)
  } finally {
    client.close()
    server.close()
  }
}

function join(client: NodeStack, server: NodeStack): void {
  const beginning = performance.now()
  const cross = (to: () => PacketsLink) => (packet: Uint8Array) => {
    const time = (performance.now() - beginning).toFixed(2).padStart(7)
    tell(`${styled(`${time} ms`, 'dim', process.stdout)}  ${describePacket(packet)}`)
    to().deliver(packet)
  }
  const clientEnd: PacketsLink = packets({ send: cross(() => serverEnd) })
  const serverEnd: PacketsLink = packets({ send: cross(() => clientEnd) })
  client.addInterface({ link: clientEnd, addresses: [`${CLIENT.ipv4}/24`, `${CLIENT.ipv6}/64`] })
  server.addInterface({ link: serverEnd, addresses: [`${SERVER.ipv4}/24`, `${SERVER.ipv6}/64`] })
}

async function showPing(client: NodeStack, address: string): Promise<void> {
  say(styled(`ping ${address}`, 'bold'))
  const { result, time } = await client.ping(address)
  say(result === 'reply' ? `  answered in ${time.toFixed(2)} ms` : `  ${result}`)
}

async function showEcho(client: NodeStack, address: string, ipv6: boolean): Promise<void> {
  const text = 'hello from userspace'
  say(styled(`"${text}" to the UDP echo of ${address}`, 'bold'))
  const endpoint = client.openUdp({ ipv6 })
  try {
    endpoint.connect(address, ECHO)
    const answered = new Promise<string>((resolve) => {
      endpoint.onReadable = () => {
        const datagram = endpoint.receive()
        if (datagram === null) return
        const { bytes, offset, length } = datagram
        resolve(new TextDecoder().decode(bytes.subarray(offset, offset + length)))
      }
    })
    endpoint.send(new TextEncoder().encode(text))
    const answer = await within(answered)
    say(answer === null ? '  no answer' : `  "${answer}" came back`)
  } finally {
    endpoint.close()
  }
}

async function showDate(client: NodeStack, address: string): Promise<void> {
  say(styled(`a TCP connection to the daytime of ${address}`, 'bold'))
  const endpoint = client.connect({ address, port: DAYTIME })
  let text = ''
  const told = new Promise<string>((resolve) => {
    endpoint.onReadable = () => {
      const octets = endpoint.read()
      if (octets !== null) text += new TextDecoder().decode(octets)
      if (endpoint.isAtEnd) endpoint.finish()
    }
    endpoint.onClose = () => resolve(text.trim())
  })
  say(`  ${(await within(told)) || 'no answer'}`)
}

async function showRefusal(client: NodeStack): Promise<void> {
  say(styled(`a datagram to a port of ${SERVER.ipv4} where nobody listens`, 'bold'))
  const endpoint = client.openUdp()
  try {
    endpoint.connect(SERVER.ipv4, 4242)
    const refused = new Promise<true>((resolve) => {
      endpoint.onError = () => resolve(true)
    })
    endpoint.send(new TextEncoder().encode('anybody there?'))
    say((await within(refused)) === null ? '  no answer' : '  refused')
  } finally {
    endpoint.close()
  }
}

/** Null when nothing comes in time. */
async function within<Value>(awaited: Promise<Value>): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, PATIENCE, null)
  })
  const value = await Promise.race([awaited, late])
  clearTimeout(timer)
  return value
}
