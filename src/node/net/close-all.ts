// A stack is closed: its servers and sockets are told, before the core lets go of what they stood on.
import type { Stack } from '../../core/stack.ts'
import { UdpHandle } from '../dgram/udp-handle.ts'
import { ListenHandle } from './listen-handle.ts'
import { TcpHandle } from './tcp-handle.ts'

export function closeSockets({ tcp, udp }: Stack): void {
  const ends: (() => unknown)[] = []
  // Servers are Node's own, too: those of http and tls.
  tcp.forEachListener(({ owner }) => {
    if (owner instanceof ListenHandle) ends.push(() => owner.owner?.close())
  })
  tcp.forEach(({ owner }) => {
    if (owner instanceof TcpHandle) ends.push(() => owner.owner?.destroy())
  })
  for (const { owner } of udp.sockets) if (owner instanceof UdpHandle) ends.push(() => owner.owner?.close())
  let failure: { error: unknown } | null = null
  for (const end of ends) {
    try {
      end()
    } catch (error) {
      // Whose way of closing throws keeps nobody else's from it.
      failure ??= { error }
    }
  }
  if (failure !== null) throw failure.error
}
