// TCP's events by way of `node:diagnostics_channel`, and a socket's own: on the loopback of a stack.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createStack, type NodeStack } from '../../src/node/create-stack.ts'
import type { StackSocket } from '../../src/node/net/socket.ts'
import type { ConnectionEvent, TcpEvent } from '../../src/runtime/events.ts'

let stack: NodeStack
let port: number

beforeEach(async () => {
  stack = await createStack()
  const server = stack.net.createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as { port: number }).port
})

afterEach(() => stack.close())

async function fetched(socket: StackSocket): Promise<string> {
  let text = ''
  for await (const piece of socket) text += piece
  return text
}

test('a channel with a subscriber gets the events of its type, from the very first on, and the stack is left alone again afterwards', async () => {
  const told: (TcpEvent & { stack: unknown })[] = []
  const take = (message: unknown) => told.push(message as (typeof told)[0])
  subscribe('tunstack:tcp:state', take)
  expect(stack.core.observer.isWatched).toBe(false)
  const socket = stack.net.connect(port, '127.0.0.1')
  expect(await fetched(socket)).toBe('hello')
  const states = () =>
    told.flatMap((event) => (event.type === 'state' && !event.connection.isPassive ? [event.to] : []))
  while (!states().includes('TIME-WAIT') && !states().includes('CLOSED')) await new Promise(setImmediate)
  unsubscribe('tunstack:tcp:state', take)
  expect(states().slice(0, 3)).toEqual(['SYN-SENT', 'ESTABLISHED', 'CLOSE-WAIT'])
  expect(told.every((event) => event.type === 'state' && event.stack === stack)).toBe(true)
  expect(await fetched(stack.net.connect(port, '127.0.0.1'))).toBe('hello')
  expect(stack.core.observer.isWatched).toBe(false)
})

test('several channels, each its own', async () => {
  const types = new Map<string, Set<string>>()
  const takers = ['sent', 'rtt', 'received'].map((type) => {
    const seen = new Set<string>()
    types.set(type, seen)
    const take = (message: unknown) => seen.add((message as TcpEvent).type)
    subscribe(`tunstack:tcp:${type}`, take)
    return () => unsubscribe(`tunstack:tcp:${type}`, take)
  })
  expect(await fetched(stack.net.connect(port, '127.0.0.1'))).toBe('hello')
  for (const stop of takers) stop()
  expect([...types].map(([type, seen]) => [type, [...seen]])).toEqual([
    ['sent', ['sent']],
    ['rtt', ['rtt']],
    ['received', ['received']],
  ])
})

test('a socket’s events; none while it has no connection', async () => {
  const socket = new stack.net.Socket()
  expect(socket.events()).toBe(null)
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const events = socket.events()
  expect(events).not.toBe(null)
  expect(await fetched(socket)).toBe('hello')
  const told: ConnectionEvent[] = []
  for await (const event of events as NonNullable<typeof events>) told.push(event)
  expect(told.some(({ type }) => type === 'received')).toBe(true)
  expect(
    told.every(({ connection }) => connection?.localPort === socket.localPort || connection === told[0].connection),
  ).toBe(true)
})
