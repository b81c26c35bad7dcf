// What the stack noted on a packet, in words: for comments in captures, and for whoever prints packets.
import { Drop } from '../core/observer.ts'

const REASONS: readonly string[] = Object.keys(Drop).map(spelledOut)

/** Null where there is nothing to say. */
export function describeNote(note: number): string | null {
  const reason = REASONS[note - 1]
  return reason === undefined ? null : `dropped: ${reason}`
}

/** `badHeaderChecksum` → `bad header checksum`. */
function spelledOut(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
