// A million SYNs from spoofed sources at a listener of `tunstack serve`: its memory, and whether a real client gets in meanwhile.
import type { ChildProcess } from 'node:child_process'
import type { Namespace } from '../../test/support/namespace.ts'
import type { Claim } from './claim.ts'
import { compiledClient } from './compiled-client.ts'
import { PEER } from './kernel-tcp.ts'
import { ADDRESS, whileServing } from './serving.ts'

const SYNS = 1_000_000
/** As fast as that, in rounds of so many. */
const PER_SECOND = 100_000
const LEAST_PER_SECOND = 10_000
const ROUND = 25_000
const LONGEST = 180_000
const KNOCK_INTERVAL = 20
const MEGABYTES = 64
const PORT = '7'

interface Knocks {
  times: number[]
  failures: string[]
}

export const claim: Claim = {
  name: `${SYNS.toLocaleString('en')} SYNs from spoofed sources at a listener`,
  bar: `under ${MEGABYTES} MB more, and every real client gets in meanwhile`,
  async measure() {
    const flood = compiledClient('syn-flood')
    return await whileServing(
      async ({ namespace, resident }) => {
        await knockOnce(namespace)
        const before = resident()
        let most = before
        const timer = setInterval(() => {
          most = Math.max(most, resident())
        }, 100)
        const knocking = startKnocking(namespace)
        const began = performance.now()
        const { arrived, dropped } = await throwSyns(namespace, flood)
        const seconds = (performance.now() - began) / 1000
        const { times, failures } = await knocking.end()
        clearInterval(timer)
        times.sort((one, other) => one - other)
        const [median, worst] = [times[times.length >> 1] ?? Number.NaN, times.at(-1) ?? Number.NaN]
        return {
          figure:
            `${arrived} SYNs arrived in ${seconds.toFixed(1)} s (${dropped} more were dropped by the queue), memory ` +
            `${before.toFixed(1)} MB before and ${most.toFixed(1)} MB at most; ${times.length} real clients were served meanwhile ` +
            `(median ${median.toFixed(1)} ms, worst ${worst.toFixed(0)} ms), ${failures.length} were not`,
          holds: arrived >= SYNS && most - before < MEGABYTES && failures.length === 0 && times.length > 10,
        }
      },
      ['--services'],
    )
  },
}

/**
 * Throws until so many have gone through the device. What its queue drops never came, and takes real clients' packets with it, which
 * says nothing of the stack: where the machine is too busy for the rate, it is lowered.
 */
async function throwSyns(namespace: Namespace, flood: string): Promise<{ arrived: number; dropped: number }> {
  const before = await carried(namespace)
  const latest = performance.now() + LONGEST
  let [arrived, dropped, thrown, rate] = [0, 0, 0, PER_SECOND]
  while (arrived < SYNS) {
    if (performance.now() > latest) throw new Error(`only ${arrived} arrived within ${LONGEST / 1000} s`)
    const { code, stderr } = await namespace.exec(flood, [
      ADDRESS,
      PORT,
      ...[ROUND, Math.round(rate), thrown].map(String),
    ])
    if (code !== 0) throw new Error(`the sender said: ${stderr.trim()}`)
    thrown += ROUND
    const now = await carried(namespace)
    const droppedBefore = dropped
    arrived = now.packets - before.packets
    dropped = now.dropped - before.dropped
    rate =
      dropped - droppedBefore > ROUND / 100 ? Math.max(LEAST_PER_SECOND, rate / 2) : Math.min(PER_SECOND, rate * 1.2)
  }
  return { arrived, dropped }
}

async function carried(namespace: Namespace): Promise<{ packets: number; dropped: number }> {
  const { stdout } = await namespace.exec('ip', ['-s', '-json', 'link', 'show', 'tun0'])
  const [{ stats64 }] = JSON.parse(stdout) as { stats64: { tx: { packets: number; dropped: number } } }[]
  return stats64.tx
}

async function knockOnce(namespace: Namespace): Promise<void> {
  await startKnocking(namespace).end()
}

function startKnocking(namespace: Namespace): { end(): Promise<Knocks> } {
  const child: ChildProcess = namespace.start(process.execPath, [PEER, 'knock', ADDRESS, PORT, String(KNOCK_INTERVAL)])
  let words = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (words += text))
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    async end() {
      child.stdin?.end('enough\n')
      await closed
      return JSON.parse(words.slice(words.indexOf('{'))) as Knocks
    },
  }
}
