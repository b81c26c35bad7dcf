// Options of sockets, and groups.
import { once } from 'node:events'
import { attempt, bound, closed, type Program, sent, watch } from './scenarios.ts'

type Calls = readonly (readonly [name: string, ...args: unknown[]])[]

const GROUP = '239.7.7.7'

const OPTIONS: Calls = [
  ['setTTL', 1],
  ['setTTL', 255],
  ['setTTL', 0],
  ['setTTL', 256],
  ['setTTL', '1'],
  ['setTTL'],
  ['setMulticastTTL', 0],
  ['setMulticastTTL', 255],
  ['setMulticastTTL', 256],
  ['setMulticastTTL', -1],
  ['setMulticastTTL', 'x'],
  ['setMulticastLoopback', false],
  ['setMulticastLoopback', 16],
  ['setBroadcast', true],
  ['setBroadcast'],
  ['setMulticastInterface', '127.0.0.1'],
  ['setMulticastInterface', '0.0.0.0'],
  ['setMulticastInterface', '::1'],
  ['setMulticastInterface', '203.0.113.9'],
  ['setMulticastInterface', '224.0.0.2'],
  ['setMulticastInterface', 'x'],
  ['setMulticastInterface', ''],
  ['setMulticastInterface', 5],
  ['setMulticastInterface'],
]

const SIZES: Calls = [
  ['getRecvBufferSize'],
  ['getSendBufferSize'],
  ['setRecvBufferSize', 10_000],
  ['getRecvBufferSize'],
  ['setSendBufferSize', 20_000],
  ['getSendBufferSize'],
  ['setRecvBufferSize', 1],
  ['getRecvBufferSize'],
  ['setSendBufferSize', 1],
  ['getSendBufferSize'],
  ['setRecvBufferSize', 0],
  ['setRecvBufferSize', -1],
  ['setSendBufferSize', 'x'],
  ['setSendBufferSize', 1.5],
  ['setRecvBufferSize', 2 ** 31],
  ['setSendBufferSize', 2 ** 31],
  ['setSendBufferSize', 2 ** 32],
  ['setSendBufferSize'],
  ['getSendQueueSize'],
  ['getSendQueueCount'],
]

const MEMBERSHIPS: Calls = [
  ['addMembership'],
  ['addMembership', ''],
  ['addMembership', '127.0.0.1'],
  ['addMembership', 'x'],
  ['addMembership', 5],
  ['addMembership', 'ff02::7'],
  ['addMembership', GROUP, '203.0.113.9'],
  ['addMembership', GROUP, 'x'],
  ['addMembership', GROUP, '127.0.0.1'],
  ['addMembership', GROUP, '127.0.0.1'],
  ['dropMembership', GROUP, '127.0.0.1'],
  ['dropMembership', GROUP, '127.0.0.1'],
  ['dropMembership'],
  ['dropMembership', '127.0.0.1'],
  ['addSourceSpecificMembership'],
  ['addSourceSpecificMembership', '127.0.0.1', 5],
  ['addSourceSpecificMembership', 'x', '232.1.1.1', '127.0.0.1'],
  ['addSourceSpecificMembership', '127.0.0.1', '1.1.1.1', '127.0.0.1'],
  ['addSourceSpecificMembership', '127.0.0.1', '232.1.1.1', '127.0.0.1'],
  ['addSourceSpecificMembership', '127.0.0.1', '232.1.1.1', '127.0.0.1'],
  ['dropSourceSpecificMembership', '127.0.0.1', '232.1.1.1', '127.0.0.1'],
  ['dropSourceSpecificMembership', '127.0.0.1', '232.1.1.1', '127.0.0.1'],
]

function calling(calls: Calls, isBound: boolean): Program {
  return async (dgram, log) => {
    const socket = dgram.createSocket('udp4')
    if (isBound) await bound(socket, 0)
    for (const [name, ...args] of calls) {
      const call = (socket as unknown as Record<string, () => unknown>)[name]
      attempt(log, `${name} ${args}`, () => Reflect.apply(call, socket, args))
    }
    await closed(socket)
  }
}

export const OPTION: Record<string, Program> = {
  'options of a bound socket': calling(OPTIONS, true),
  'options of one that is not bound': calling(OPTIONS, false),
  'sizes of its buffers': calling(SIZES, true),
  'sizes of buffers that are not there yet': calling(SIZES, false),
  'sizes asked for at first': async (dgram, log) => {
    const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 7000, sendBufferSize: 9000 })
    await bound(socket)
    log(socket.getRecvBufferSize(), socket.getSendBufferSize())
    await closed(socket)
  },
  'memberships of a bound socket': calling(MEMBERSHIPS, true),
  'a membership binds': async (dgram, log) => {
    const socket = watch(dgram.createSocket('udp4'), log)
    socket.addMembership(GROUP, '127.0.0.1')
    log(socket.address().address, socket.address().port > 0)
    socket.bind(0)
    await once(socket, 'error')
    await closed(socket)
  },
  'a group on the loopback': async (dgram, log) => {
    const options = { type: 'udp4', reuseAddr: true } as const
    const members = ['one', 'two'].map((name) => watch(dgram.createSocket(options), log, name))
    const port = await bound(members[0], 0, GROUP)
    await bound(members[1], port, GROUP)
    for (const member of members) member.addMembership(GROUP, '127.0.0.1')
    const sender = dgram.createSocket('udp4')
    await bound(sender, 0, '127.0.0.1')
    sender.setMulticastInterface('127.0.0.1')
    const heard = members.map((member) => once(member, 'message'))
    log(await sent(sender, 'to all', port, GROUP))
    await heard[0]
    await heard[1]
    members[0].dropMembership(GROUP, '127.0.0.1')
    members[1].setMulticastLoopback(true)
    await closed(...members, sender)
  },
  'broadcasts must be allowed': async (dgram, log) => {
    const socket = watch(dgram.createSocket('udp4'), log)
    await bound(socket, 0)
    log(await sent(socket, 'x', 9, '255.255.255.255'))
    await closed(socket)
  },
  'the queue of what is to be sent': async (dgram, log) => {
    const socket = dgram.createSocket('udp4')
    const port = await bound(socket)
    for (let count = 0; count < 3; count++) socket.send('x', port, '127.0.0.1')
    log(socket.getSendQueueSize(), socket.getSendQueueCount())
    await once(socket, 'message')
    log(socket.getSendQueueSize(), socket.getSendQueueCount())
    await closed(socket)
  },
  'deprecated names': async (dgram, log) => {
    const socket = dgram.createSocket('udp4') as unknown as Record<string, unknown> & import('node:dgram').Socket
    log(socket._bindState, socket._receiving, socket._queue, socket._reuseAddr, typeof socket._handle)
    await bound(socket)
    log(socket._bindState, socket._receiving)
    attempt(log, '_healthCheck', socket._healthCheck as () => unknown)
    Reflect.apply(socket._stopReceiving as () => void, socket, [])
    log(socket._receiving)
    await closed(socket)
    log(socket._handle)
  },
}
