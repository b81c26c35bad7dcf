// One of the two that are compared: a server in a process of its own on CPU 1, and the namespace from which clients on CPU 0 reach it.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Namespace, until } from '../../test/support/namespace.ts'
import { compiledClient } from '../prove/compiled-client.ts'
import { project } from '../prove/project.ts'
import type { Setting } from './setting.ts'

const SERVER = fileURLToPath(new URL('bench/clients/wire-server.mjs', project))
const [CLIENT_CPU, SERVER_CPU] = ['0', '1']
/** Of the kernel's clock ticks, as /proc tells them. */
const TICKS_PER_SECOND = 100
const PATIENCE = 30_000

export type Kind = 'ours' | 'kernel'

/** What the server says of the time from `begin` to `end`. */
export interface Account {
  /** Milliseconds of each collection of garbage. */
  pauses: number[]
  datagrams: number
  resident: number
  profile: object | null
}

export class Side {
  readonly kind: Kind
  readonly address: string
  readonly #server: ChildProcess
  readonly #clients: Namespace
  readonly #device: string
  #words = ''

  /** `home` is where the server runs; none for ours, whose device alone is in a namespace. */
  private constructor(kind: Kind, setting: Setting, clients: Namespace, home: Namespace | null) {
    this.kind = kind
    this.address = kind === 'ours' ? '10.7.0.2' : '10.9.0.2'
    this.#device = kind === 'ours' ? 'tun0' : 'veth0'
    this.#clients = clients
    const inside = home === null ? [] : ['ip', 'netns', 'exec', home.name]
    const told = JSON.stringify({ kind, netns: clients.name, ...setting })
    const [command, ...args] = [...inside, 'taskset', '-c', SERVER_CPU, process.execPath, SERVER, told]
    this.#server = (home ?? clients).adopt(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }))
    for (const stream of [this.#server.stdout, this.#server.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#words += text))
  }

  static async start(kind: Kind, setting: Setting, clients: Namespace, home: Namespace | null): Promise<Side> {
    const side = new Side(kind, setting, clients, home)
    await side.#answer('')
    return side
  }

  async begin(isProfiled: boolean): Promise<void> {
    await this.#ask('begin', isProfiled)
  }

  async end(isProfiled: boolean): Promise<Account> {
    return (await this.#ask('end', isProfiled)) as Account
  }

  /** That have arrived so far. */
  async datagrams(): Promise<number> {
    return ((await this.#ask('count', false)) as Pick<Account, 'datagrams'>).datagrams
  }

  /** Runs a command of the kernel's side to its end, and gives back what it printed. */
  async run(command: string, args: string[], seconds: number): Promise<string> {
    const pinned = ['-c', CLIENT_CPU, command, ...args]
    const { stdout, stderr, code } = await this.#clients.exec('taskset', pinned, {
      timeout: seconds * 1000 + PATIENCE,
    })
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} said: ${stderr.trim() || code}${this.#lastWords()}`)
    return stdout
  }

  async client(mode: string, seconds: number, ...args: number[]): Promise<Record<string, number>> {
    const [ports, ...rest] = args
    const words = [mode, this.address, ...[ports, seconds, ...rest].map(String)]
    return JSON.parse(await this.run(compiledClient('wire-client'), words, seconds))
  }

  /** Starts one that stays, until the returned function is called. */
  async hold(port: number, count: number): Promise<() => Promise<void>> {
    const child = this.#clients.start('taskset', [
      '-c',
      CLIENT_CPU,
      compiledClient('wire-client'),
      'idle',
      this.address,
      `${port}`,
      `${count}`,
    ])
    let words = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (words += text))
    await until(`${count} connections`, () => words.includes('ready'))
    return async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.stdin?.end()
      await ended
    }
  }

  /** Seconds that the server's process has used so far. */
  get processorSeconds(): number {
    const fields = readFileSync(`/proc/${this.#server.pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }

  get pid(): number {
    return this.#server.pid as number
  }

  /** That the device has carried, both ways; super-segments count as one. */
  async packets(): Promise<number> {
    const { stdout } = await this.#clients.exec('ip', ['-s', '-json', 'link', 'show', this.#device])
    const [{ stats64 }] = JSON.parse(stdout) as { stats64: { rx: { packets: number }; tx: { packets: number } } }[]
    return stats64.rx.packets + stats64.tx.packets
  }

  #ask(what: string, isProfiled: boolean): Promise<unknown> {
    const answer = this.#answer(what)
    this.#server.send({ ask: what, isProfiled })
    return answer
  }

  #answer(what: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const isOver = () =>
        reject(
          new Error(`the server (${this.kind}) ended${what && ` and did not answer '${what}'`}${this.#lastWords()}`),
        )
      this.#server.once('exit', isOver)
      this.#server.once('message', (answer) => {
        this.#server.off('exit', isOver)
        resolve(answer)
      })
    })
  }

  #lastWords(): string {
    return this.#words === '' ? '' : `; the server said: ${this.#words.trim()}`
  }
}
