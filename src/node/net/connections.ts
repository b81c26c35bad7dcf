// `for await (const socket of server)`: connections in the order in which they come. Who is slow to ask keeps them waiting, unread.
import type { EventEmitter } from 'node:events'
import type { StackSocket } from './socket.ts'

export function connectionsOf(server: EventEmitter): AsyncIterableIterator<StackSocket> {
  const waiting: StackSocket[] = []
  const askers: ((result: IteratorResult<StackSocket>) => void)[] = []
  let isDone = false
  const onConnection = (socket: StackSocket) => {
    const asker = askers.shift()
    if (asker === undefined) waiting.push(socket)
    else asker({ value: socket, done: false })
  }
  const end = () => {
    isDone = true
    server.off('connection', onConnection)
    server.off('close', end)
    for (const asker of askers.splice(0)) asker({ value: undefined, done: true })
  }
  server.on('connection', onConnection)
  server.on('close', end)
  return {
    next() {
      const socket = waiting.shift()
      if (socket !== undefined) return Promise.resolve({ value: socket, done: false })
      if (isDone) return Promise.resolve({ value: undefined, done: true })
      return new Promise((resolve) => askers.push(resolve))
    },
    /** The loop was left: who still waits is let go. */
    return() {
      end()
      for (const socket of waiting.splice(0)) socket.destroy()
      return Promise.resolve({ value: undefined, done: true })
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
