// Ours over tun0 beside node:http over veth, one process each, in namespaces made for it; wrk from the kernel puts the load on.
// The two are measured by turns, so that whatever else the machine does meets both.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createNamespace, exec, type Namespace, privileged, until } from '../../test/support/namespace.ts'
import { CannotMeasure } from '../prove/claim.ts'
import { project } from '../prove/project.ts'

const SERVER = fileURLToPath(new URL('bench/clients/http-server.mjs', project))
const ADDRESS = { ours: '10.7.0.2', node: '10.9.0.2' } as const

export type Kind = keyof typeof ADDRESS

export interface Load {
  connections: number
  /** Each request on a connection of its own. */
  isShort: boolean
  /** Seconds of each of the rounds. */
  seconds: number
  rounds: number
}

export interface Rate {
  /** Requests a second, the median of the rounds. */
  rate: number
  /** Whatever wrk has counted as an error, of all rounds. */
  errors: string[]
}

export class Contest {
  readonly #clients: Record<Kind, Namespace>
  readonly #all: Namespace[]

  private constructor(clients: Record<Kind, Namespace>, all: Namespace[]) {
    this.#clients = clients
    this.#all = all
  }

  static async begin(): Promise<Contest> {
    const { granted, reason } = privileged()
    if (!granted) throw new CannotMeasure(reason)
    if (!existsSync(new URL('dist/index.js', project))) throw new CannotMeasure('the project is not built: npm install')
    const wrk = await exec('wrk', ['-v']).catch(() => null)
    if (wrk === null) throw new CannotMeasure('wrk is not here: apt-get install wrk')
    const [ours, kernel, client] = [createNamespace(), createNamespace(), createNamespace()]
    const contest = new Contest({ ours, node: client }, [ours, kernel, client])
    try {
      await join(kernel, client)
      for (const namespace of [ours, kernel, client]) await widen(namespace)
      // The TUN device is in the namespace of wrk; the process itself is in none.
      await ready(ours.adopt(spawn(process.execPath, [SERVER, 'ours', ours.name])))
      await ready(kernel.start(process.execPath, [SERVER, 'node']))
      return contest
    } catch (error) {
      await contest.end()
      throw error
    }
  }

  async measure(load: Load): Promise<Record<Kind, Rate>> {
    const rates = { ours: [] as number[], node: [] as number[] }
    const errors = { ours: [] as string[], node: [] as string[] }
    for (let round = 0; round < load.rounds; round++) {
      for (const kind of ['node', 'ours'] as const) {
        const { rate, complaints } = await this.#round(kind, load)
        rates[kind].push(rate)
        errors[kind].push(...complaints)
      }
    }
    const median = (list: number[]) => list.sort((one, other) => one - other)[list.length >> 1]
    return {
      ours: { rate: median(rates.ours), errors: errors.ours },
      node: { rate: median(rates.node), errors: errors.node },
    }
  }

  async end(): Promise<void> {
    for (const namespace of this.#all) await namespace.dispose()
  }

  async #round(kind: Kind, { connections, isShort, seconds }: Load) {
    const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s']
    if (isShort) args.push('-H', 'Connection: close')
    const { stdout, stderr } = await this.#clients[kind].exec('wrk', [...args, `http://${ADDRESS[kind]}/`], {
      timeout: (seconds + 30) * 1000,
    })
    const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
    if (Number.isNaN(rate)) throw new Error(`wrk said: ${stderr.trim() || stdout.trim()}`)
    const complaints = /^\s*(Socket errors:.*|Non-2xx.*)$/gm
    return { rate, complaints: [...stdout.matchAll(complaints)].map(([, complaint]) => `${kind}: ${complaint}`) }
  }
}

async function join(kernel: Namespace, client: Namespace): Promise<void> {
  const name = `v${kernel.name.slice(-12)}`.replaceAll('-', '')
  const steps = [
    ['link', 'add', name, 'netns', kernel.name, 'type', 'veth', 'peer', 'name', 'veth0', 'netns', client.name],
    ['-n', kernel.name, 'addr', 'add', '10.9.0.2/24', 'dev', name],
    ['-n', client.name, 'addr', 'add', '10.9.0.1/24', 'dev', 'veth0'],
    ['-n', kernel.name, 'link', 'set', name, 'up'],
    ['-n', client.name, 'link', 'set', 'veth0', 'up'],
  ]
  for (const step of steps) {
    const { code, stderr } = await exec('ip', step)
    if (code !== 0) throw new CannotMeasure(`ip ${step.join(' ')}: ${stderr.trim()}`)
  }
}

/** Ports enough for tens of thousands of connections a second: all of them, and again after a second (RFC 6191). */
async function widen(namespace: Namespace): Promise<void> {
  const settings = ['net.ipv4.ip_local_port_range=1024 65535', 'net.ipv4.tcp_tw_reuse=1', 'net.core.somaxconn=4096']
  const { code, stderr } = await namespace.exec('sysctl', ['-q', '-w', ...settings])
  if (code !== 0) throw new CannotMeasure(`sysctl: ${stderr.trim()}`)
}

async function ready(child: ReturnType<Namespace['start']>): Promise<void> {
  let words = ''
  let isReady = false
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (isReady ||= text.includes('ready')))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (words += text))
  await until('the server listens', () => {
    if (child.exitCode !== null) throw new Error(`the server ended: ${words.trim()}`)
    return isReady
  })
}
