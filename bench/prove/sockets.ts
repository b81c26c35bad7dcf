// What `stack.net` promises in the large: memory that stays within the buffers' limits while a peer, or we, stand still; nothing left of
// sockets, however they ended; and a process that ends when everything is closed. Each in a fresh process.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createNamespace, exec, privileged } from '../../test/support/namespace.ts'
import { CannotMeasure, type Claim, type Verdict } from './claim.ts'
import { project } from './project.ts'
import { ADDRESS } from './serving.ts'
import type { Backpressure, Leaks } from './sockets-run.ts'

const OCTETS = 1_000_000_000
const STALL = 10_000
const SOCKETS = 10_000
const EXIT_SOCKETS = 100
/** The send buffer's limit is 4 MB and the receive buffer's 6 MB; 4 MB of spare slabs may be kept. */
const HELD_MEGABYTES = 14
/** What was handed over in slices and is not collected yet: the engine looks when 32 MB and more have come since it last did. */
const EXTERNAL_MEGABYTES = 64
const RESIDENT_MEGABYTES = 100
const LEFT_MEGABYTES = 5
const EXIT_MILLISECONDS = 500

const SCRIPT = fileURLToPath(new URL('sockets-run.js', import.meta.url))
const PEER = fileURLToPath(new URL('bench/clients/stalling-peer.mjs', project))

const seconds = `${STALL / 1000} s`
const bar = `${OCTETS / 1e9} GB arrives; external memory grows by at most ${HELD_MEGABYTES} MB meanwhile, and by ${EXTERNAL_MEGABYTES} MB at any time, RSS by ${RESIDENT_MEGABYTES} MB`

export const claims: Claim[] = [
  {
    name: `the peer, a kernel's, reads nothing for ${seconds} while we write 1 GB`,
    bar,
    measure: () => stalled('writes'),
  },
  {
    name: `we read nothing for ${seconds} while the peer, a kernel's, writes 1 GB`,
    bar,
    measure: () => stalled('reads'),
  },
  {
    name: `${SOCKETS.toLocaleString('en')} connections opened, used and closed in each of eight ways`,
    bar: `nothing left of sockets, timers, buffers and ports, and less than ${LEFT_MEGABYTES} MB of memory`,
    measure: leaks,
  },
  {
    name: `a process that has closed everything, with connections in TIME-WAIT, ends by itself`,
    bar: `within ${EXIT_MILLISECONDS} ms`,
    measure: exits,
  },
]

const megabytes = (octets: number) => (octets / 1e6).toFixed(1)

async function stalled(mode: 'writes' | 'reads'): Promise<Verdict> {
  const { granted, reason } = privileged()
  if (!granted) throw new CannotMeasure(reason)
  if (!existsSync(new URL('dist/index.js', project))) throw new CannotMeasure('the project is not built: npm run build')
  const namespace = createNamespace()
  try {
    const args = ['--expose-gc', SCRIPT, mode, namespace.name, String(OCTETS), String(STALL)]
    const child = namespace.adopt(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }))
    let [output, words] = ['', '']
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (words += text))
    const ended = new Promise((resolve) => child.once('close', resolve))
    await new Promise<void>((resolve, reject) => {
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        output += text
        resolve()
      })
      child.once('close', () => reject(new Error(words.trim())))
    })
    const peerArgs = [
      PEER,
      mode === 'writes' ? 'read' : 'write',
      ADDRESS,
      '9',
      String(mode === 'writes' ? STALL : OCTETS),
    ]
    const peer = await namespace.exec(process.execPath, peerArgs, { timeout: 120_000 })
    if (peer.stdout === '') throw new Error(`the peer said: ${peer.stderr.trim() || 'nothing, for too long'}`)
    await ended
    const ours: Backpressure = JSON.parse(output.slice(output.indexOf('{')))
    const arrived = mode === 'writes' ? JSON.parse(peer.stdout).octets : ours.octets
    const sent = mode === 'writes' ? ours.octets : JSON.parse(peer.stdout).octets
    return judged(ours, arrived, sent)
  } finally {
    await namespace.dispose()
  }
}

function judged(ours: Backpressure, arrived: number, sent: number): Verdict {
  const { meanwhile, held, milliseconds, heap, external, resident } = ours
  const isWhole = arrived === sent && arrived >= OCTETS && milliseconds >= STALL
  return {
    figure:
      `${megabytes(arrived)} of ${megabytes(sent)} MB arrived in ${(milliseconds / 1000).toFixed(1)} s, ${megabytes(meanwhile)} MB taken meanwhile with ${megabytes(held)} MB external more, ` +
      `at any time at most ${megabytes(external)} MB external, ${megabytes(heap)} MB heap, ${megabytes(resident)} MB RSS more`,
    holds:
      isWhole &&
      held <= HELD_MEGABYTES * 1e6 &&
      external <= EXTERNAL_MEGABYTES * 1e6 &&
      resident <= RESIDENT_MEGABYTES * 1e6,
  }
}

async function run(mode: string, count: number): Promise<{ stdout: string; ended: number }> {
  const args = ['--expose-gc', SCRIPT, mode, String(count)]
  const { code, stdout, stderr } = await exec(process.execPath, args, { timeout: 600_000 })
  if (code !== 0) throw new Error(`it ended with ${code}: ${stderr.trim().slice(-500)}`)
  return { stdout, ended: Date.now() }
}

async function leaks(): Promise<Verdict> {
  const { left, octets, milliseconds }: Leaks = JSON.parse((await run('ways', SOCKETS)).stdout)
  const rests = Object.entries(left).map(([way, rest]) => `${rest.join(', ')} after ${way}`)
  return {
    figure: `${rests.join('; ') || 'nothing left'}, ${megabytes(octets)} MB more, in ${(milliseconds / 1000).toFixed(0)} s`,
    holds: rests.length === 0 && octets < LEFT_MEGABYTES * 1e6,
  }
}

async function exits(): Promise<Verdict> {
  const { stdout, ended } = await run('exit', EXIT_SOCKETS)
  const { timeWait, now } = JSON.parse(stdout)
  return {
    figure: `after ${ended - now} ms, with ${timeWait} connections in TIME-WAIT`,
    holds: timeWait > 0 && ended - now <= EXIT_MILLISECONDS,
  }
}
