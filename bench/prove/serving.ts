// `tunstack serve` in a fresh namespace, for claims about the whole: the process, its memory, and commands beside it.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createNamespace, type Namespace, privileged, until } from '../../test/support/namespace.ts'
import { CannotMeasure } from './claim.ts'
import { project } from './project.ts'

export const HOST = '10.7.0.1'
export const ADDRESS = '10.7.0.2'

export interface Serving {
  namespace: Namespace
  child: ChildProcess
  /** Resident memory of the process in MB. */
  resident(): number
}

/** Serves until `use` is done, and takes everything down. */
export async function whileServing<T>(use: (serving: Serving) => Promise<T>, flags: string[] = []): Promise<T> {
  const { granted, reason } = privileged()
  if (!granted) throw new CannotMeasure(reason)
  const main = fileURLToPath(new URL('dist/cli/main.js', project))
  if (!existsSync(main)) throw new CannotMeasure('the project is not built: npm run build')
  const namespace = createNamespace()
  try {
    const address = ['--tun', 'tun0', '--host', `${HOST}/24`, '--address', `${ADDRESS}/24`]
    const child = namespace.adopt(
      spawn(process.execPath, [main, 'serve', '--netns', namespace.name, ...address, ...flags], {
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    )
    let words = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-2_000)
    })
    await until('tunstack serve answers', async () => {
      if (child.exitCode !== null) throw new Error(`tunstack serve ended with ${child.exitCode}: ${words.trim()}`)
      return (await namespace.exec('ping', ['-c', '1', '-W', '1', ADDRESS])).code === 0
    })
    return await use({ namespace, child, resident: () => residentMegabytes(child.pid) })
  } finally {
    await namespace.dispose()
  }
}

function residentMegabytes(pid: number | undefined): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(found?.[1]) / 1024
}

export interface Pings {
  transmitted: number
  received: number
  /** The line of round-trip times, as ping prints it. */
  times: string
}

export async function ping(namespace: Namespace, args: string[]): Promise<Pings> {
  const { stdout, stderr } = await namespace.exec('ping', ['-q', ...args], { timeout: 300_000 })
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(stdout)
  if (!counts) throw new Error(`ping said: ${stderr.trim() || stdout.trim()}`)
  return {
    transmitted: Number(counts[1]),
    received: Number(counts[2]),
    times: /rtt min\/avg\/max\/mdev = (\S+ ms)/.exec(stdout)?.[1] ?? '',
  }
}
