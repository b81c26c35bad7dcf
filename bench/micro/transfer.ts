// 16 MB from one stack to another over the memory link, drivers and endpoints included: octets and segments a second, both ends in one
// thread. How many octets of heap a segment leaves behind is measured in a process of its own, whose young generation holds all of it.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Offload } from '../../src/core/environment.ts'
import { Transfer, WHOLE } from '../support/transfer.ts'
import type { Measured, Suite } from './suite.ts'

const OCTETS = 16 << 20

function transferred(claim: string, offload?: Offload): Measured {
  let segments = 0
  return {
    prepare() {
      const transfer = new Transfer(offload)
      return () => {
        const before = transfer.segments
        transfer.run(OCTETS)
        segments = transfer.segments - before
      }
    },
    handles: () => ({ octets: OCTETS, segments }),
    figures: async () => ({ 'octets of heap a segment': await heap(claim) }),
  }
}

async function heap(claim: string): Promise<number> {
  const script = fileURLToPath(new URL('../garbage/main.js', import.meta.url))
  const flags = ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256']
  const args = [...flags, script, '--json', '--claim', claim]
  // It ends with 1 where the claim falls short, which is another command's affair.
  const { stdout } = await promisify(execFile)(process.execPath, args).catch((error: { stdout: string }) => error)
  return JSON.parse(stdout)[0].octets
}

export const transfer: Suite = {
  'segments of 1,448 octets, checksums in JS': transferred('of a whole transfer in segments'),
  'super-segments of 64 kB': transferred('of a whole transfer in super-segments', WHOLE),
}
