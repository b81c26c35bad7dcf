// The dashboard and the portable core in a browser, the long lines: 100 MB between two stacks in a page, and a dashboard that is left open
// while wrk asks for as much as it can. MINUTES says how long that is: ten unless told otherwise.
import { type ChildProcess, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { exec, type Namespace } from '../../test/support/namespace.ts'
import { CannotMeasure, type Claim } from './claim.ts'
import { project } from './project.ts'
import { ADDRESS, type Serving, whileServing } from './serving.ts'

const CHROMIUM = '/usr/bin/chromium'
const BASE = `http://${ADDRESS}`
const OCTETS = 100_000_000
const MINUTES = Number(process.env.MINUTES ?? 10)
/** Seconds of a round of wrk, and how many are compared, each with one while no page is open. */
const ROUND = 8
const PAIRS = 6
/** What memory may have grown by, from the first third to the last. */
const FLAT = { page: 2_000_000, server: 16 }
const LEAST_OF_THROUGHPUT = 0.95
const client = (name: string) => fileURLToPath(new URL(`bench/clients/${name}`, project))

function need(...commands: string[]): void {
  for (const command of commands)
    if (spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0) throw new CannotMeasure(`${command} is not here`)
}

const core: Claim = {
  name: 'tunstack/core bundled for the browser, in headless Chromium: two stacks over a memory link, 100 MB each way, and a page from the HTTP server',
  bar: 'every octet, no shim, at most 200 kB compressed',
  async measure() {
    need(CHROMIUM)
    const words = [client('core-in-page.mjs'), CHROMIUM, String(OCTETS)]
    const { stdout, stderr } = await exec(process.execPath, words, { timeout: 120_000 })
    if (stdout === '') throw new Error(stderr.trim().slice(0, 300))
    const { whole, exchanged, milliseconds, status, shims, faults } = JSON.parse(stdout)
    const isWhole = exchanged?.every((octets: number) => octets === OCTETS) === true && status === 200
    const figure = isWhole
      ? `${whole.octets} octets, ${whole.compressed} compressed; 2 x 100 MB in ${(milliseconds / 1000).toFixed(1)} s`
      : faults.join('; ')
    return { figure, holds: isWhole && faults.length === 0 && shims.length === 0 && whole.compressed <= 200_000 }
  },
}

interface Measured {
  heap: number
  nodes: number
  rows: number
  faults: string[]
}

/** Chromium in the namespace, with the page open or not. */
class OpenDashboard {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(namespace: Namespace) {
    this.#child = namespace.start(process.execPath, [client('open-dashboard.mjs'), CHROMIUM, BASE])
    const lines: Interface = createInterface({ input: this.#child.stdout! })
    this.#lines = lines[Symbol.asyncIterator]()
  }

  async ask(command: 'open' | 'close' | 'measure'): Promise<Measured> {
    this.#child.stdin?.write(`${command}\n`)
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('the browser has ended')
    return JSON.parse(value) as Measured
  }

  end(): void {
    this.#child.stdin?.end()
  }
}

async function wrk({ namespace }: Serving): Promise<number> {
  const words = ['-t1', '-c64', `-d${ROUND}s`, `${BASE}/small.txt`]
  const { stdout, stderr } = await namespace.exec('wrk', words, { timeout: 120_000 })
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN)
  if (Number.isNaN(rate)) throw new Error(stderr.trim() || stdout.trim())
  return rate
}

const open: Claim = {
  name: `a dashboard left open for ${MINUTES} minutes while wrk asks over 64 connections`,
  bar: 'memory of page and server flat, no error, at least 95% of the requests a second without it',
  measure() {
    need(CHROMIUM, 'wrk')
    const folder = mkdtempSync(join(tmpdir(), 'tunstack-dashboard-'))
    writeFileSync(join(folder, 'small.txt'), 'x'.repeat(612))
    return whileServing(
      async (serving) => {
        const dashboard = new OpenDashboard(serving.namespace)
        try {
          return await watched(serving, dashboard)
        } finally {
          dashboard.end()
        }
      },
      ['--root', folder],
    ).finally(() => rmSync(folder, { recursive: true }))
  },
}

async function watched(serving: Serving, dashboard: OpenDashboard) {
  // What is compiled and allocated in the first seconds belongs to neither.
  await wrk(serving)
  const parts: number[] = []
  const rates: number[] = []
  // By turns, so that what else this machine does falls upon both.
  for (let pair = 0; pair < PAIRS; pair++) {
    await dashboard.ask('close')
    const without = await wrk(serving)
    await dashboard.ask('open')
    rates.push(await wrk(serving))
    parts.push(rates[pair] / without)
  }
  const heaps: number[] = []
  const resident: number[] = []
  const end = performance.now() + MINUTES * 60_000
  let last = await dashboard.ask('measure')
  while (performance.now() < end) {
    await wrk(serving)
    last = await dashboard.ask('measure')
    heaps.push(last.heap)
    resident.push(serving.resident())
  }
  const part = median(parts)
  const page = growth(heaps)
  const server = growth(resident)
  const words = [
    `${Math.round(median(rates))} requests/s, ${(part * 100).toFixed(1)}% of those without it`,
    `the page's heap ${(median(heaps) / 1e6).toFixed(1)} MB, grown by ${(page / 1e6).toFixed(2)} MB`,
    `the server ${Math.round(median(resident))} MB, grown by ${server.toFixed(1)} MB`,
    `${last.rows} rows, ${last.faults.length} errors`,
  ]
  const isFlat = page <= FLAT.page && server <= FLAT.server
  return { figure: words.join('; '), holds: isFlat && last.faults.length === 0 && part >= LEAST_OF_THROUGHPUT }
}

/** From the middle of the first third to that of the last. */
function growth(values: readonly number[]): number {
  const third = Math.max(1, Math.floor(values.length / 3))
  return median(values.slice(-third)) - median(values.slice(0, third))
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN
}

export const claims: Claim[] = [core, open]
