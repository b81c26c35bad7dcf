// Echo, discard, daytime and chargen over TCP (RFC 862, 863, 867, 864). Each stops reading while the peer does not read,
// so that nobody can make it hold more than a buffer's worth.
import type { Endpoint, ListenEndpoint } from '../runtime/endpoint.ts'
import { chargenPattern } from './chargen.ts'
import { daytimeLine } from './daytime.ts'

/** What comes goes back; it ends when the peer has ended and has everything. */
export function echoConnections(listener: ListenEndpoint): void {
  listener.onConnection = (endpoint) => {
    const echo = () => {
      endpoint.look((bytes, start, length) => endpoint.send(bytes, start, start + length))
      if (endpoint.isAtEnd) endpoint.finish()
    }
    endpoint.onReadable = echo
    endpoint.onWritable = echo
    endpoint.onClose = () => endpoint.close()
  }
}

export interface DiscardedStreams {
  connections: number
  octets: number
}

export function discardConnections(listener: ListenEndpoint): DiscardedStreams {
  const discarded = { connections: 0, octets: 0 }
  listener.onConnection = (endpoint) => {
    discarded.connections++
    endpoint.onReadable = () => {
      endpoint.look((_bytes, _start, length) => {
        discarded.octets += length
        return length
      })
      if (endpoint.isAtEnd) endpoint.finish()
    }
    endpoint.onClose = () => endpoint.close()
  }
  return discarded
}

/** One line, then the end, whatever the peer says. */
export function tellDaytimeConnections(listener: ListenEndpoint, wall: () => number): void {
  const encoder = new TextEncoder()
  listener.onConnection = (endpoint) => {
    endpoint.onReadable = () => endpoint.look((_bytes, _start, length) => length)
    endpoint.onClose = () => endpoint.close()
    endpoint.send(encoder.encode(daytimeLine(wall())))
    endpoint.finish()
  }
}

/** Lines without end, until the peer closes. */
export function generateConnections(listener: ListenEndpoint): void {
  const pattern = chargenPattern()
  listener.onConnection = (endpoint) => {
    const state = { at: 0 }
    endpoint.onReadable = () => {
      endpoint.look((_bytes, _start, length) => length)
      if (endpoint.isAtEnd) endpoint.close()
    }
    endpoint.onWritable = () => generate(endpoint, pattern, state)
    endpoint.onClose = () => endpoint.close()
    generate(endpoint, pattern, state)
  }
}

function generate(endpoint: Endpoint, pattern: Uint8Array, state: { at: number }): void {
  for (;;) {
    const taken = endpoint.send(pattern, state.at)
    if (taken === 0) return
    state.at = (state.at + taken) % pattern.length
  }
}
