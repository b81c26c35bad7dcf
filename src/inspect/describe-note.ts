// What the stack noted on a packet, in words: for comments in captures, and for whoever prints packets. A note is the reason of a drop, or,
// while somebody observes, the number of the event that tells of the packet; what else it brought about follows in the ring.
import { Drop, EVENT_NUMBERS, Event, type Observer } from '../core/observer.ts'
import { type ConnectionEvent, eventOf, type Watched, watched } from '../runtime/events.ts'
import { describeSent, milliseconds } from './describe-cause.ts'

const REASONS: readonly string[] = Object.keys(Drop).map(spelledOut)

/** Why a packet was dropped; null where there is nothing to say. */
export function describeNote(note: number): string | null {
  const reason = REASONS[note - 1]
  return reason === undefined ? null : `dropped: ${reason}`
}

/** The same, and for segments of TCP what only the stack knows: why one was sent, what one brought about. As of the turn in which it crossed. */
export function noteDescriber(observer: Observer): (note: number) => string | readonly string[] | null {
  const numbers = new Float64Array(EVENT_NUMBERS)
  return (note) => {
    const number = observer.eventOf(note)
    if (number < 0) return describeNote(note)
    const event = decoded(observer, number, numbers)
    if (event?.type === 'sent') {
      const { cwnd, ssthresh, inFlight, length } = event
      const words = describeSent(event)
      return length > 0 && cwnd > 0 ? [words, window(cwnd, ssthresh, inFlight)] : [words]
    }
    return event?.type === 'received' ? consequences(observer, number + 1, numbers) : null
  }
}

/** What follows a segment that came, up to the next one that came or went. */
function consequences(observer: Observer, first: number, numbers: Float64Array): string[] {
  const words: string[] = []
  let figures: string | null = null
  for (let number = first; number < observer.written; number++) {
    const event = decoded(observer, number, numbers)
    if (event?.type === 'received' || event?.type === 'sent') break
    if (event?.type === 'congestion') figures = window(event.cwnd, event.ssthresh, event.inFlight)
    else if (event !== null) words.push(...wordsOf(event))
  }
  return words.length > 0 && figures !== null ? [...words, figures] : words
}

function wordsOf(event: ConnectionEvent): string[] {
  switch (event.type) {
    case 'state':
      return [`state: ${event.from} → ${event.to}`]
    case 'rtt':
      return [`RTT ${milliseconds(event.sample)}, smoothed ${milliseconds(event.smoothed)}`]
    case 'recovery':
      if (event.what === 'entered') return [`${event.kind} begins: ${describeSent({ cause: event.cause, detail: 0 })}`]
      return [event.isUndone ? `${event.kind} was needless, and is undone` : `${event.kind} is over`]
    case 'window':
      if (event.window === 0) return ['the window is closed']
      return event.before === 0 ? ['the window is open again'] : []
    default:
      return []
  }
}

function decoded(observer: Observer, number: number, numbers: Float64Array): ConnectionEvent | null {
  if (!observer.copy(number, numbers)) return null
  // A drop has a note of its own.
  return numbers[1] === Event.drop ? null : eventOf(numbers, nobody())
}

/** Comments stand on the packet of a connection that needs no name. */
function nobody(): Watched {
  const nowhere = { localAddress: '', localPort: 0, remoteAddress: '', remotePort: 0 }
  return watched({ number: 0, ...nowhere, isPassive: false, iss: 0, irs: 0 })
}

function window(cwnd: number, ssthresh: number | null, inFlight: number): string {
  return `cwnd ${cwnd}${ssthresh === null ? '' : ` ssthresh ${ssthresh}`}, in flight ${inFlight}`
}

/** `badHeaderChecksum` → `bad header checksum`. */
function spelledOut(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
