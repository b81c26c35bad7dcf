// The HTTP server and iperf3's with the clients that everybody has: curl, ab, wrk with pipelining, iperf3, a browser. No error in any.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Namespace } from '../../test/support/namespace.ts'
import { CannotMeasure, type Claim, type Verdict } from './claim.ts'
import { project } from './project.ts'
import { ADDRESS, whileServing } from './serving.ts'

const BASE = `http://${ADDRESS}`
const LARGE = 100_000_000
const client = (name: string) => fileURLToPath(new URL(`bench/clients/${name}`, project))

function hasCommand(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
}

/** With a folder that is gone afterwards, and what the command needs. */
async function whileServingFolder(
  command: string,
  fill: (folder: string) => void,
  use: (namespace: Namespace, folder: string) => Promise<Verdict>,
): Promise<Verdict> {
  if (!hasCommand(command)) throw new CannotMeasure(`${command} is not here`)
  const folder = mkdtempSync(join(tmpdir(), 'tunstack-http-'))
  try {
    fill(folder)
    return await whileServing(({ namespace }) => use(namespace, folder), ['--root', folder])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const writeSmall = (folder: string) => writeFileSync(join(folder, 'small.txt'), 'x'.repeat(612))

const curl: Claim = {
  name: 'curl: get, head, 100 MB both ways, a range, a resumed transfer, a thousand requests on one connection, a hundred at once',
  bar: 'no error, every octet',
  measure() {
    const octets = Buffer.alloc(LARGE)
    for (let at = 0; at < LARGE; at += 4) octets.writeInt32LE(Math.imul(at, 2654435761 | 0), at)
    const fill = (folder: string) => {
      writeSmall(folder)
      writeFileSync(join(folder, 'large.bin'), octets)
    }
    return whileServingFolder('curl', fill, (namespace, folder) => curls(namespace, folder, octets))
  },
}

async function curls(namespace: Namespace, folder: string, octets: Buffer) {
  const faults: string[] = []
  const run = async (what: string, args: string[], isRight: (stdout: string) => boolean) => {
    const { code, stdout, stderr } = await namespace.exec('curl', ['-sS', ...args], { timeout: 60_000 })
    if (code !== 0 || !isRight(stdout)) faults.push(`${what}: ${stderr.trim() || stdout.slice(0, 60)}`)
  }
  const large = join(folder, 'large.bin')
  const got = join(folder, '.got')
  const isSame = () => Buffer.compare(readFileSync(got), octets) === 0
  await run('get', [`${BASE}/small.txt`], (text) => text.length === 612)
  await run('head', ['-I', `${BASE}/small.txt`], (text) => /Content-Length: 612/.test(text))
  await run('post', ['--data-binary', `@${large}`, `${BASE}/_tunstack/count`], (text) => text === `{"octets":${LARGE}}`)
  await run('chunked', ['-T', '-', '--no-progress-meter', `${BASE}/_tunstack/count`], (text) => text === '{"octets":0}')
  await run('large', ['-o', got, `${BASE}/large.bin`], isSame)
  await run('range', ['-r', '1000-1999', '-o', got, `${BASE}/large.bin`], () => statSync(got).size === 1000)
  writeFileSync(got, octets)
  truncateSync(got, LARGE >> 2)
  await run('resume', ['-C', '-', '-o', got, `${BASE}/large.bin`], isSame)
  const words = ['-w', '%{num_connects}', '-o', '/dev/null', `${BASE}/small.txt?[1-1000]`]
  await run('keep-alive', words, (text) => text === `1${'0'.repeat(999)}`)
  const parallel = [
    '-Z',
    '--parallel-max',
    '100',
    '-w',
    '%{http_code} ',
    '-o',
    '/dev/null',
    `${BASE}/small.txt?[1-500]`,
  ]
  await run('parallel', parallel, (text) => text === '200 '.repeat(500))
  return { figure: faults.length === 0 ? 'no error' : faults.join('; '), holds: faults.length === 0 }
}

/** Many requests over many connections that are kept; HTTP/1.0, which ab speaks. */
const ab: Claim = {
  name: 'ab -k: 100,000 requests of HTTP/1.0 on 50 connections that are kept',
  bar: 'no error, and no connection is opened anew',
  measure: () =>
    whileServingFolder('ab', writeSmall, async (namespace) => {
      const words = ['-q', '-k', '-n', '100000', '-c', '50', `${BASE}/small.txt`]
      const { stdout, stderr } = await namespace.exec('ab', words, { timeout: 120_000 })
      const figureOf = (name: string) =>
        Number(new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(stdout)?.[1] ?? Number.NaN)
      const [complete, failed, kept] = ['Complete requests', 'Failed requests', 'Keep-Alive requests'].map(figureOf)
      if (Number.isNaN(complete)) throw new Error(stderr.trim() || stdout.trim())
      const odd = /^(?:Non-2xx responses|Write errors):.*/m.exec(stdout)?.[0] ?? ''
      const rate = Math.round(figureOf('Requests per second'))
      const figure = `${complete} answered, ${failed} failed, ${kept} on kept connections, ${rate}/s${odd && `, ${odd}`}`
      return { figure, holds: complete === 100_000 && failed === 0 && kept === 100_000 && odd === '' }
    }),
}

const pipelining: Claim = {
  name: 'wrk with pipelining, sixteen requests at a time on each of 64 connections, 5 s',
  bar: 'no error',
  measure: () =>
    whileServingFolder('wrk', writeSmall, async (namespace) => {
      const words = ['-t1', '-c64', '-d5s', '-s', client('pipeline.lua'), `${BASE}/small.txt`]
      const { stdout, stderr } = await namespace.exec('wrk', words, { timeout: 60_000 })
      const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN)
      if (Number.isNaN(rate)) throw new Error(stderr.trim() || stdout.trim())
      const errors = [...stdout.matchAll(/^\s*(Socket errors:.*|Non-2xx.*)$/gm)].map(([, error]) => error)
      return {
        figure: [`${Math.round(rate)} requests/s`, ...errors].join(', '),
        holds: errors.length === 0 && rate > 0,
      }
    }),
}

const IPERF3: readonly (readonly string[])[] = [
  [],
  ['-R'],
  ['-P', '8'],
  ['-P', '8', '-R'],
  ['--bidir'],
  ['-u', '-b', '100M'],
  ['-u', '-b', '100M', '-R'],
  ['-u', '-b', '50M', '--bidir'],
]

interface Sum {
  bits_per_second: number
  lost_percent?: number
  jitter_ms?: number
}

const iperf3: Claim = {
  name: 'iperf3 -c: TCP and UDP, both ways, one after the other and at once, and eight streams, 3 s each',
  bar: 'no error, and of UDP 99% arrive',
  async measure() {
    if (!hasCommand('iperf3')) throw new CannotMeasure('iperf3 is not here')
    return whileServing(
      async ({ namespace }) => {
        const figures: string[] = []
        let holds = true
        for (const words of IPERF3) {
          const all = ['-c', ADDRESS, '-t', '3', '-J', ...words]
          const { stdout } = await namespace.exec('iperf3', all, { timeout: 60_000 })
          const { error, end } = JSON.parse(stdout)
          const sums: Sum[] = error === undefined ? sumsOf(end) : []
          holds &&= sums.length > 0 && sums.every(({ lost_percent = 0 }) => lost_percent < 1)
          figures.push(`${words.join(' ') || 'plain'} ${error ?? sums.map(describe).join(' and ')}`)
        }
        return { figure: figures.join('; '), holds }
      },
      ['--services'],
    )
  },
}

function sumsOf(end: Record<string, Sum>): Sum[] {
  const one = end.sum_received ?? end.sum
  const other = end.sum_received_bidir_reverse ?? end.sum_bidir_reverse
  return other === undefined ? [one] : [one, other]
}

function describe({ bits_per_second, lost_percent, jitter_ms }: Sum): string {
  const rate =
    bits_per_second > 1e9
      ? `${(bits_per_second / 1e9).toFixed(1)} Gbit/s`
      : `${Math.round(bits_per_second / 1e6)} Mbit/s`
  return lost_percent === undefined
    ? rate
    : `${rate} (${lost_percent.toFixed(2)}% lost, jitter ${jitter_ms?.toFixed(3)} ms)`
}

const ASSETS = 10
const PIXEL =
  '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8" fill="teal"/></svg>'

function writeSite(folder: string): void {
  const places = Array.from({ length: ASSETS }, (_, place) => place)
  for (const place of places) {
    writeFileSync(join(folder, `${place}.css`), `.c${place} { color: teal }`)
    writeFileSync(
      join(folder, `${place}.js`),
      `window.loaded = (window.loaded ?? 0) + 1 // ${'x'.repeat(place * 10_000)}`,
    )
    writeFileSync(join(folder, `${place}.svg`), PIXEL)
  }
  const tags = places.map(
    (place) =>
      `<link rel="stylesheet" href="${place}.css"><script src="${place}.js"></script><img src="${place}.svg" alt="">`,
  )
  const icon = '<link rel="icon" href="data:,">'
  writeFileSync(
    join(folder, 'index.html'),
    `<!doctype html><title>assets</title>${icon}${tags.join('')}<iframe src="/_tunstack/start"></iframe>`,
  )
}

interface Page {
  title: string
  images: number
  sheets: number
  scripts: number
  milliseconds: number
  answers: { url: string; status: number }[]
  faults: string[]
}

const browser: Claim = {
  name: 'headless Chromium loads the start page, and a page with it in a frame and 30 assets',
  bar: 'no error, everything is there',
  measure: () =>
    whileServingFolder('chromium', writeSite, async (namespace) => {
      const words = [client('browser.mjs'), `${BASE}/_tunstack/start`, `${BASE}/`]
      const { stdout, stderr } = await namespace.exec(process.execPath, words, { timeout: 120_000 })
      if (stdout === '') throw new Error(stderr.trim().slice(0, 300) || 'the browser took too long')
      const [start, site]: Page[] = JSON.parse(stdout)
      const faults = [start, site].flatMap((page) => page.faults)
      const odd = [start, site].flatMap(({ answers }) => answers.filter(({ status }) => status !== 200))
      const isWhole = site.images === ASSETS && site.sheets === ASSETS && site.scripts === ASSETS
      const holds = faults.length + odd.length === 0 && isWhole && start.title === 'You have reached tunstack'
      const times = `${Math.round(start.milliseconds)} and ${Math.round(site.milliseconds)} ms`
      const assets = `${site.images + site.sheets + site.scripts} assets, ${site.answers.length} answers, ${times}`
      const wrong = [...faults, ...odd.map(({ url, status }) => `${url} ${status}`)]
      return { figure: [assets, ...wrong].join('; '), holds }
    }),
}

export const claims: Claim[] = [curl, ab, pipelining, iperf3, browser]
