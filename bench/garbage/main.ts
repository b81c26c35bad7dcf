// `npm run bench:garbage -- [--claim PART OF ITS NAME] [--json]`: octets of heap a packet, against the bar of each claim. It runs
// in CI, since it asks about garbage and not about time. The measure itself is checked first with a loop whose garbage is known.
import { parseArgs } from 'node:util'
import type { GarbageClaim } from './claim.ts'
import { echo } from './echo.ts'
import { measureHeap } from './heap.ts'
import { http } from './http.ts'
import { tcp } from './tcp.ts'

const CALLS = 100_000
const PACKETS = 200_000

/** All claims stand here, a file for each kind. */
const claims: GarbageClaim[] = [...echo, ...tcp, ...http]

interface Result {
  name: string
  octets: number
  below: number
  holds: boolean
}

let kept: unknown = null

/** An object of one field takes 32 octets, which must be seen; a loop that makes none must show none. */
async function checkMeasure(): Promise<void> {
  const one = await measureHeap(() => {
    kept = { value: 1 }
  }, CALLS)
  const none = await measureHeap(() => {
    kept = null
  }, CALLS)
  if (Math.abs(one - 32) > 1 || none > 0.01 || kept !== null) {
    throw new Error(`the measure is wrong: ${one} octets for an object of 32, ${none} for none`)
  }
}

async function measureClaim({ name, below, prepare }: GarbageClaim): Promise<Result> {
  const { packets, call, handled } = prepare()
  const calls = Math.ceil(PACKETS / packets)
  let made = 0
  const octets =
    (await measureHeap(() => {
      made++
      call()
    }, calls)) / packets
  const complete = handled() === made * packets
  return {
    name: complete ? name : `${name}: only ${handled()} of ${made * packets} packets were handled`,
    octets,
    below,
    holds: complete && octets < below,
  }
}

const { values } = parseArgs({ options: { json: { type: 'boolean' }, claim: { type: 'string' } } })
await checkMeasure()
const results: Result[] = []
for (const claim of claims.filter(({ name }) => name.includes(values.claim ?? ''))) {
  const result = await measureClaim(claim)
  results.push(result)
  if (!values.json) {
    const { name, octets, below, holds } = result
    console.log(
      `${holds ? 'holds      ' : 'falls short'}  ${octets.toFixed(2)} octets of heap a packet, bar < ${below}  ${name}`,
    )
  }
}
if (values.json) console.log(JSON.stringify(results, null, 2))
process.exitCode = results.every(({ holds }) => holds) ? 0 : 1
