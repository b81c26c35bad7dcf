// The octets of a stack's packets and connections: Buffers that nothing has been written into. Who moves much by sockets makes a Buffer for each
// hand-over, and V8 adds what young Buffers hold to the heap's size when it asks whether to mark everything: four times what was left
// the last time is where it does. In a small program that comes before the 32 MB at which it would look at young objects alone.
import type { Allocate } from '../core/batch.ts'

/** Octets made before anything is done about it: fewer are no bulk. */
const MUCH = 64 << 20
/** 8 MB: three times that is more than 32 MB of young Buffers. In pieces, so that making it is no pause. */
const PIECES = 32
const NUMBERS = 1 << 15

type Ballast = (readonly number[])[]

/** For one stack; all of a process have one ballast. */
export function bufferMemory(): Allocate {
  let made = 0
  let ballast: Ballast | null = null
  return (length) => {
    if (ballast !== null) addTo(ballast)
    else if ((made += length) >= MUCH) ballast = takeBallast()
    return Buffer.allocUnsafeSlow(length) as Uint8Array<ArrayBuffer>
  }
}

let shared: WeakRef<Ballast> | null = null

function takeBallast(): Ballast {
  const taken = shared?.deref() ?? []
  shared = new WeakRef(taken)
  return taken
}

/** Makes the heap larger, and so its limit: by numbers that stand in the array itself, which nobody follows who marks it. */
function addTo(ballast: Ballast): void {
  if (ballast.length < PIECES) ballast.push(new Array<number>(NUMBERS).fill(0.5))
}
