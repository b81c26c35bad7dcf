// `npm run bench:pipe -- [--rounds 5] [--megabytes 512]`: a pipe from one socket to another, on a stack's loopback beside node:net on the kernel's,
// by turns, each in a process of its own that has all four ends. Medians.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { exec } from '../../test/support/namespace.ts'
import type { Piped } from './pipe-run.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string' }, megabytes: { type: 'string' } } })
const rounds = Number(values.rounds ?? 5)
const octets = Number(values.megabytes ?? 512) * 1e6
const SCRIPT = fileURLToPath(new URL('pipe-run.js', import.meta.url))
async function run(kind: 'stack' | 'kernel', ...more: string[]): Promise<Piped> {
  const { code, stdout, stderr } = await exec(process.execPath, [SCRIPT, kind, String(octets), ...more], {
    timeout: 300_000,
  })
  if (code !== 0) throw new Error(`it ended with ${code}: ${stderr.trim().slice(-500)}`)
  const result: Piped = JSON.parse(stdout)
  if (result.octets < octets) throw new Error(`${result.octets} of ${octets} octets arrived`)
  return result
}

function median(list: number[]): number {
  return list.sort((one, other) => one - other)[list.length >> 1]
}

const results: Record<'stack' | 'kernel', Piped[]> = { stack: [], kernel: [] }
for (let round = 0; round < rounds; round++) {
  for (const kind of ['kernel', 'stack'] as const) results[kind].push(await run(kind))
}
console.log(`${octets / 1e6} MB through a relay that pipes, two connections, the median of ${rounds} rounds by turns:`)
for (const [kind, list] of Object.entries(results)) {
  const rate = median(list.map((one) => (one.octets * 8) / one.milliseconds / 1e6))
  const cpu = median(list.map((one) => one.cpu / (one.octets / 1e9)))
  const chunk = median(list.map((one) => one.octets / one.chunks))
  const name = kind === 'stack' ? 'a stack' : 'node:net'
  // Counting takes its time, and is done apart.
  const counted = await run(kind as keyof typeof results, 'counts')
  const heap = counted.heap / (counted.octets / 1e6)
  const copies =
    kind === 'stack'
      ? `, ${(counted.copied / counted.octets).toFixed(2)} octets copied for each over the two connections`
      : ''
  console.log(
    `  ${name}: ${rate.toFixed(2)} Gbit/s, ${cpu.toFixed(0)} ms of processor a GB, ${heap.toFixed(0)} octets of heap a MB, ` +
      `${Math.round(chunk)} octets a chunk${copies}`,
  )
}
