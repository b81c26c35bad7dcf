// A stack is closed: its servers and sockets are told, before the core lets go of what they stood on.
import type { Stack } from '../../core/stack.ts'
import { ListenHandle } from './listen-handle.ts'
import { StackServer } from './server.ts'
import { StackSocket } from './socket.ts'
import { TcpHandle } from './tcp-handle.ts'

export function closeSockets({ tcp }: Stack): void {
  const owners: unknown[] = []
  tcp.forEachListener(({ owner }) => {
    if (owner instanceof ListenHandle) owners.push(owner.owner)
  })
  tcp.forEach(({ owner }) => {
    if (owner instanceof TcpHandle) owners.push(owner.owner)
  })
  let failure: { error: unknown } | null = null
  for (const owner of owners) {
    try {
      if (owner instanceof StackServer) owner.close()
      else if (owner instanceof StackSocket) owner.destroy()
    } catch (error) {
      // Whose way of closing throws keeps nobody else's from it.
      failure ??= { error }
    }
  }
  if (failure !== null) throw failure.error
}
