// A stack on a TUN device in a process of its own, whose counters can be read while it runs: for tests and claims on a real
// kernel that need to know more than `tunstack serve` says.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Namespace } from './namespace.ts'

export interface ServedOptions {
  /** Routers for what is behind the device's networks. */
  gateways?: string[]
  mtu?: number
  offload?: boolean
  /** A pcapng file to be written. */
  file?: string
}

export interface Look {
  counts: Record<string, number>
  drops: Record<string, number>
  discarded: { datagrams: number; octets: number }
  /** The most that was held since the last reset, sampled every 5 ms. */
  most: { fragmentOctets: number; residentMegabytes: number }
}

export class ServedStack {
  readonly #namespace: Namespace
  readonly #child: ChildProcess
  #words = ''

  private constructor(namespace: Namespace, child: ChildProcess) {
    this.#namespace = namespace
    this.#child = child
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#words = (this.#words + text).slice(-2_000)
    })
  }

  /** 10.7.0.2 and fd00:7::2 on tun0 of the namespace, with all the services; `root` is the project's. */
  static async start(root: URL, namespace: Namespace, options: ServedOptions = {}): Promise<ServedStack> {
    const words = JSON.stringify({
      netns: namespace.name,
      name: 'tun0',
      hosts: ['10.7.0.1/24', 'fd00:7::1/64'],
      addresses: ['10.7.0.2/24', 'fd00:7::2/64'],
      gateways: options.gateways ?? [],
      mtu: options.mtu ?? 1500,
      offload: options.offload ?? true,
      file: options.file ?? null,
    })
    const script = fileURLToPath(new URL('test/support/served-stack.mjs', root))
    const child = spawn(process.execPath, [script, words], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    const served = new ServedStack(namespace, namespace.adopt(child))
    await served.#next()
    return served
  }

  look(): Promise<Look> {
    this.#child.send('look')
    return this.#next()
  }

  /** Begins anew to watch for the most. */
  reset(): Promise<Look> {
    this.#child.send('reset')
    return this.#next()
  }

  async stop(): Promise<void> {
    await this.#namespace.stop(this.#child)
  }

  #next(): Promise<Look> {
    const child = this.#child
    return new Promise((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`the stack ended with ${code}: ${this.#words.trim()}`))
      child.once('close', ended)
      child.once('message', (look) => {
        child.off('close', ended)
        resolve(look as Look)
      })
    })
  }
}
