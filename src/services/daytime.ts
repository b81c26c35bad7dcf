// The daytime protocol (RFC 867): whoever asks is told the date, in the form that the RFC gives as its first example.
import type { Time } from '../core/environment.ts'
import type { Endpoint } from '../runtime/endpoint.ts'
import type { UdpEndpoint } from '../runtime/udp-endpoint.ts'
import { isLoopProne } from './loops.ts'

export const DAYTIME_PORT = 13

/** How long we wait for a client to close after us, before its place is another's. */
const PATIENCE = 10_000

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const

/** `Tuesday, February 22, 1982 17:37:43-UTC` and a line end, for a date in milliseconds since 1970. */
export function daytimeLine(wall: number): string {
  const date = new Date(wall)
  const two = (number: number) => String(number).padStart(2, '0')
  const day = `${DAYS[date.getUTCDay()]}, ${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()}`
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}-UTC\r\n`
}

export function tellDaytime(endpoint: UdpEndpoint, wall: () => number): void {
  const encoder = new TextEncoder()
  endpoint.onReadable = () => {
    for (let datagram = endpoint.receive(); datagram !== null; datagram = endpoint.receive()) {
      if (isLoopProne(datagram.sourcePort)) continue
      const bytes = encoder.encode(daytimeLine(wall()))
      endpoint.reply(datagram, { bytes, view: new DataView(bytes.buffer) }, 0, bytes.length)
    }
  }
}

/** RFC 867: the line, then the end; what the client says is thrown away. */
export function tellDaytimeOnce(endpoint: Endpoint, time: Time, letGo: () => void): void {
  const cancel = time.after(PATIENCE, letGo)
  const { onClose } = endpoint
  endpoint.onClose = (reason) => {
    cancel()
    onClose?.(reason)
  }
  endpoint.onReadable = () => endpoint.look((_, __, length) => length)
  endpoint.send(new TextEncoder().encode(daytimeLine(time.wall())))
  endpoint.finish()
}
