// Octets of heap that a call leaves behind, whether or not they are garbage: what the young generation grows by over many
// calls, with no collection in between. Needs `--expose-gc` and a semi-space that all of it fits into.
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'

const ROUNDS = 5
const TRIES = 4

/** The least of some rounds, since the compiler and the inline caches allocate too, now and then; `call` is warmed up first. */
export async function measureHeap(call: () => void, calls: number): Promise<number> {
  const collect = globalThis.gc
  if (!collect) throw new Error('the heap can be measured only with node --expose-gc')
  repeat(call, calls)
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    least = Math.min(least, await measureRound(collect, call, calls))
  }
  return Math.max(0, least / calls)
}

async function measureRound(collect: () => void, call: () => void, calls: number): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    collect()
    const collections: number[] = []
    const observer = new PerformanceObserver((list) => {
      for (const { startTime } of list.getEntries()) collections.push(startTime)
    })
    observer.observe({ entryTypes: ['gc'] })
    const began = performance.now()
    const empty = heapGrowth(nothing, 1)
    const grown = heapGrowth(call, calls)
    const ended = performance.now()
    // Collections are told of from the event loop.
    await setImmediate()
    await setImmediate()
    observer.disconnect()
    if (!collections.some((at) => at >= began && at <= ended)) return grown - empty
  }
  throw new Error(`the heap was collected during every measurement of ${calls} calls: measure fewer at a time`)
}

function heapGrowth(call: () => void, calls: number): number {
  const before = youngOctets()
  repeat(call, calls)
  return youngOctets() - before
}

/** What a program makes is born in these spaces; compilers put theirs, and free it, elsewhere. */
function youngOctets(): number {
  let octets = 0
  for (const { space_name, space_used_size } of getHeapSpaceStatistics()) {
    if (space_name === 'new_space' || space_name === 'new_large_object_space') octets += space_used_size
  }
  return octets
}

function repeat(call: () => void, calls: number): void {
  for (let done = 0; done < calls; done++) call()
}

function nothing(): void {}
