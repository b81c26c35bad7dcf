// A stack of ours and a kernel with an impaired link between, on a plain TUN device, so that every loss is one packet of the MTU. So many
// octets go one way or the other, and both ends say what they were by sha256.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Endpoint, ImpairedLink, Impairment, NodeStack } from '../../src/index.ts'
import { createNamespace, type Namespace, privileged } from '../../test/support/namespace.ts'
import { CannotMeasure } from './claim.ts'
import { project } from './project.ts'
import { Sink } from './recovery-path.ts'

export const FLOW = fileURLToPath(new URL('bench/clients/tcp-flow.mjs', project))
export const KERNEL = '10.9.0.1'
const OURS = '10.9.0.2'
export const PORT = 9000
const CHUNK = 65_536
const TIMEOUT = 600_000

export type Package = typeof import('../../src/index.ts')

/** What is published: the addon is found from there alone. */
export async function builtPackage(): Promise<Package> {
  const { granted, reason } = privileged()
  if (!granted) throw new CannotMeasure(reason)
  const index = new URL('dist/index.js', project)
  if (!existsSync(index)) throw new CannotMeasure('the project is not built: npm run build')
  return import(index.href)
}

export interface Arrival {
  octets: number
  milliseconds: number
  isWhole: boolean
}

export class TransferPath {
  readonly stack: NodeStack
  readonly link: ImpairedLink
  readonly #namespace: Namespace
  readonly #sink: Sink
  readonly #letGo: () => void

  private constructor(stack: NodeStack, link: ImpairedLink, namespace: Namespace) {
    this.stack = stack
    this.link = link
    this.#namespace = namespace
    this.#sink = new Sink(namespace, Number.POSITIVE_INFINITY)
    this.#letGo = stack.hold()
  }

  /** `forward` is what goes from us to the kernel. */
  static async open(impairment: Impairment, forward: Impairment = impairment): Promise<TransferPath> {
    const { createStack, impaired, SeededRandom, tun } = await builtPackage()
    const namespace = createNamespace()
    const stack = await createStack()
    const device = tun({ netns: namespace.name, address: [`${KERNEL}/24`], offload: false, mtu: 1500 })
    const link = impaired(device, { in: impairment, out: forward }, new SeededRandom(1, 'path'), {})
    stack.addInterface({ link, addresses: [`${OURS}/24`] })
    const path = new TransferPath(stack, link, namespace)
    await path.#sink.ready
    return path
  }

  connect(): Endpoint {
    return this.stack.connect({ address: KERNEL, port: PORT })
  }

  count(name: string): number {
    return this.stack.counters().counts[name] ?? 0
  }

  /** From us to the kernel. */
  async send(octets: number): Promise<Arrival> {
    const chunk = new Uint8Array(CHUNK)
    for (let at = 0; at < CHUNK; at++) chunk[at] = (at * 31 + (at >>> 8)) & 255
    const digest = createHash('sha256')
    const endpoint = this.connect()
    let sent = 0
    const fill = () => {
      while (sent < octets) {
        const at = sent % CHUNK
        const taken = endpoint.send(chunk, at, Math.min(CHUNK, at + octets - sent))
        if (taken === 0) return
        digest.update(chunk.subarray(at, at + taken))
        sent += taken
      }
      endpoint.finish()
    }
    endpoint.onOpen = fill
    endpoint.onWritable = fill
    const began = performance.now()
    const report = await within(this.#sink.next(), endpoint)
    const isWhole = report.octets === octets && report.sha256 === digest.digest('hex')
    return { octets: report.octets, milliseconds: performance.now() - began, isWhole }
  }

  /** From the kernel to us. */
  async receive(octets: number): Promise<Arrival> {
    const digest = createHash('sha256')
    let received = 0
    const listener = this.stack.listen({ port: PORT })
    const over = new Promise<void>((resolve) => {
      listener.onConnection = (endpoint) => {
        endpoint.onReadable = () => {
          endpoint.look((bytes, start, length) => {
            digest.update(bytes.subarray(start, start + length))
            received += length
            return length
          })
          if (endpoint.isAtEnd) endpoint.finish()
        }
        endpoint.onClose = () => resolve()
      }
    })
    const began = performance.now()
    const command = [FLOW, 'send', OURS, String(PORT), String(octets)]
    const { stdout, stderr } = await this.#namespace.exec(process.execPath, command, { timeout: TIMEOUT })
    if (stdout === '') throw new Error(`the kernel's end said: ${stderr.trim() || 'nothing, for too long'}`)
    await over
    listener.close()
    const { sha256 } = JSON.parse(stdout) as { sha256: string }
    const isWhole = received === octets && sha256 === digest.digest('hex')
    return { octets: received, milliseconds: performance.now() - began, isWhole }
  }

  async close(): Promise<void> {
    this.stack.close()
    this.#letGo()
    await this.#namespace.dispose()
  }
}

function within<T>(promise: Promise<T>, endpoint: Endpoint): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      endpoint.abort()
      reject(new Error(`not done after ${TIMEOUT / 1000} s`))
    }, TIMEOUT)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
