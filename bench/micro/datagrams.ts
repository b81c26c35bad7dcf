// Datagrams from one socket to another over the loopback, on node:dgram and on stack.dgram: sent and heard, in one process, 32 at a time,
// as many as wait in no queue for long. Both ends pay for their calls; the kernel's also for its system calls.
import dgram from 'node:dgram'
import { once } from 'node:events'
import { createStack } from '../../src/node/create-stack.ts'
import type { Measured, Suite } from './suite.ts'

const AT_ONCE = 32
const ROUNDS = 16

type DgramModule = typeof dgram

/** Sends so many datagrams, and waits until they have been heard. */
async function exchange(module: DgramModule, octets: number): Promise<() => Promise<void>> {
  const [receiver, sender] = [module.createSocket('udp4'), module.createSocket('udp4')]
  for (const socket of [receiver, sender]) {
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
  }
  receiver.setRecvBufferSize(8 << 20)
  const { port } = receiver.address()
  const data = Buffer.alloc(octets, 1)
  let left = 0
  let done = () => {}
  receiver.on('message', () => {
    if (--left === 0) done()
  })
  // Held only while something is under way, so that the process can end.
  const sockets = [receiver.unref(), sender.unref()]
  return async () => {
    for (const socket of sockets) socket.ref()
    for (let round = 0; round < ROUNDS; round++) {
      left = AT_ONCE
      const all = new Promise<void>((resolve) => (done = resolve))
      for (let count = 0; count < AT_ONCE; count++) sender.send(data, port, '127.0.0.1')
      await all
    }
    for (const socket of sockets) socket.unref()
  }
}

function exchanged(module: () => Promise<DgramModule>, octets: number): Measured {
  return {
    prepare() {
      const ready = module().then((found) => exchange(found, octets))
      let last: Promise<unknown> = ready
      // One after another, whoever calls.
      return () => (last = last.then(async () => (await ready)()))
    },
    handles: () => ({ datagrams: AT_ONCE * ROUNDS, octets: AT_ONCE * ROUNDS * octets }),
  }
}

const onStack = async () => (await createStack()).dgram
const onKernel = async () => dgram

export const datagrams: Suite = {
  'stack.dgram, 64 octets': exchanged(onStack, 64),
  'node:dgram, 64 octets': exchanged(onKernel, 64),
  'stack.dgram, 1,400 octets': exchanged(onStack, 1400),
  'node:dgram, 1,400 octets': exchanged(onKernel, 1400),
}
