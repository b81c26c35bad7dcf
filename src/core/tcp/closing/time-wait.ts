// TIME-WAIT (RFC 9293 §3.6.1): what is left of a connection for 2 MSL, as a row of typed columns, 80 octets a row and less than 100 with its index.
// All wait equally long, so that the oldest is always the next to go. Called by tcp/input for segments without a connection, and by the stack.
// Protects against what RFC 1337 describes; a new connection may take a row's place by RFC 6191.
import type { Address } from '../../ip/address.ts'
import type { TupleHash } from '../tuple-hash.ts'

export const NONE = -1

/** What becomes of a segment for a row. */
export const Answer = {
  /** Nothing is sent. */
  ignore: 0,
  /** ACK with SND.NXT and RCV.NXT. */
  acknowledge: 1,
  /** It is a new connection's SYN: remove the row, and let a listener have it. */
  reopen: 2,
} as const

export class TimeWait {
  // Columns, to be read and written by row. They are others after the table has grown.
  sndNxt = new Int32Array(0)
  rcvNxt = new Int32Array(0)
  /** RCV.WND as it stands in the window field. */
  window = new Uint16Array(0)
  hasTimestamps = new Uint8Array(0)
  tsRecent = new Int32Array(0)
  tsOffset = new Int32Array(0)
  /** The index of the interface by which it is answered. */
  interface = new Int16Array(0)

  /** `duration` in milliseconds; beyond `most` rows the oldest goes. */
  constructor(hash: TupleHash, duration: number, most: number) {}

  get count(): number {
    throw new Error('not yet')
  }

  /** Octets of heap. */
  get octets(): number {
    throw new Error('not yet')
  }

  /** The row of a 4-tuple, or NONE. */
  find(local: Address, localPort: number, remote: Address, remotePort: number): number {
    throw new Error('not yet')
  }

  /** A new row, whose columns the caller fills. */
  add(local: Address, localPort: number, remote: Address, remotePort: number, now: number): number {
    throw new Error('not yet')
  }

  /** A row's addresses, into two that the caller owns. */
  addresses(row: number, local: Address, remote: Address): void {
    throw new Error('not yet')
  }

  localPort(row: number): number {
    throw new Error('not yet')
  }

  remotePort(row: number): number {
    throw new Error('not yet')
  }

  remove(row: number): void {
    throw new Error('not yet')
  }

  /** RFC 9293 §3.10.7.4 in TIME-WAIT: a value of `Answer`. `length` counts text, SYN and FIN; flags are those of `wire/tcp`. */
  receive(
    row: number,
    flags: number,
    sequence: number,
    length: number,
    hasTimestamps: boolean,
    timestampValue: number,
    now: number,
  ): number {
    throw new Error('not yet')
  }

  /** Whether a connection of our own may take the row's place: RFC 6191, after a second and with timestamps on both sides. */
  mayReuse(row: number, now: number): boolean {
    throw new Error('not yet')
  }

  /** When `expire` has something to do; Infinity for never. */
  deadline(): number {
    throw new Error('not yet')
  }

  /** Removes the rows whose time is over. */
  expire(now: number): void {
    throw new Error('not yet')
  }
}
