// Programs that everybody has against servers that everybody writes, on a stack over tun0: curl, wrk, nghttp, h2load, headless Chromium and
// a crowd of WebSockets against Fastify, https, HTTP/2 and a chat. No errors, and the client's address under each.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createNamespace, type Namespace, privileged } from '../../test/support/namespace.ts'
import { CannotMeasure, type Claim, type Verdict } from './claim.ts'
import type { Asked } from './ecosystem-run.ts'
import { project } from './project.ts'
import { ADDRESS, HOST } from './serving.ts'

const SERVERS = fileURLToPath(new URL('ecosystem-run.js', import.meta.url))
const BROWSER = fileURLToPath(new URL('bench/clients/browser-pages.mjs', project))
const CHAT = fileURLToPath(new URL('bench/clients/chat.mjs', project))
const CHROMIUM = '/usr/bin/chromium'
const STREAMS = 20_000
const FASTIFY = `http://${ADDRESS}`
const TLS_13 = `https://${ADDRESS}`
const TLS_12 = `https://${ADDRESS}:444`
const HTTP2 = `https://${ADDRESS}:8443`
const HTTP2_CLEAR = `http://${ADDRESS}:8080`

interface Servers {
  namespace: Namespace
  /** Runs a client, and tells what it printed; where it failed that is a fault. */
  run(what: string, command: string, ...args: string[]): Promise<string>
  faults: string[]
}

/** Adds the faults that the servers have seen: other addresses than the client's. */
async function measured(use: (servers: Servers) => Promise<string>): Promise<Verdict> {
  const { granted, reason } = privileged()
  if (!granted) throw new CannotMeasure(reason)
  if (!existsSync(new URL('dist/index.js', project))) throw new CannotMeasure('the project is not built: npm run build')
  const namespace = createNamespace()
  try {
    const servers = fork(SERVERS, [namespace.name], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    namespace.adopt(servers)
    await nextMessage(servers)
    const faults: string[] = []
    const run = async (what: string, command: string, ...args: string[]) => {
      const { code, stdout, stderr } = await namespace.exec(command, args, { timeout: 120_000 })
      if (code !== 0) faults.push(`${what} ended with ${code}: ${stderr.trim().slice(0, 200)}`)
      return stdout
    }
    const figure = await use({ namespace, run, faults })
    servers.send('look')
    const asked = (await nextMessage(servers)) as Record<string, Asked>
    for (const [name, { wrong, requests }] of Object.entries(asked)) {
      if (wrong > 0) faults.push(`${wrong} of ${requests} requests of ${name} by another address`)
    }
    if (servers.exitCode !== null) faults.push(`the servers ended with ${servers.exitCode}`)
    return { figure: [figure, ...faults].join('; '), holds: faults.length === 0 }
  } finally {
    await namespace.dispose()
  }
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const over = new AbortController()
  const { signal } = over
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`the servers ended with ${code}`)
  })
  const told = once(child, 'message', { signal }).then(([message]) => message)
  try {
    return await Promise.race([told, ended])
  } finally {
    ended.catch(() => {})
    told.catch(() => {})
    over.abort()
  }
}

const curl: Claim = {
  name: 'curl against Fastify, https by TLS 1.3 and 1.2, HTTP/2 with TLS and in clear: one, 300 of them (by HTTP/1.1 up to 100 at once), a megabyte, 10 MB posted',
  bar: "no error, the client's address",
  measure: () =>
    measured(async ({ run, faults }) => {
      let requests = 0
      for (const [origin, version, http, ...flags] of [
        [FASTIFY, 'clear', '1.1'],
        [TLS_13, 'TLSv1.3', '1.1', '--tlsv1.3'],
        [TLS_13, 'TLSv1.2', '1.1', '--tls-max', '1.2'],
        [HTTP2, 'TLSv1.3', '2.0', '--http2'],
        [HTTP2_CLEAR, 'clear', '2.0', '--http2-prior-knowledge'],
      ]) {
        const ask = (...args: string[]) => run(`curl ${origin} ${version}`, 'curl', '-ksS', ...flags, ...args)
        const who = await ask(`${origin}/who`)
        const right = JSON.stringify({ address: HOST, version, httpVersion: http })
        if (who !== right) faults.push(`${origin} said ${who} and not ${right}`)
        const many = await ask(...crowdOf(origin), '-o', '/dev/null', '-w', '%{http_code} ')
        if (!/^(?:200 )+$/.test(many)) faults.push(`${origin}, many requests: ${many.slice(0, 60)}`)
        requests += many.length / 4
        const size = await ask('-o', '/dev/null', '-w', '%{size_download}', `${origin}/large`)
        if (size !== '1000000') faults.push(`${origin}/large: ${size} octets`)
        requests += 2
      }
      const upload = [
        '--data-binary',
        '@/dev/stdin',
        '-H',
        'content-type: application/octet-stream',
        `${FASTIFY}/count`,
      ]
      const posted = await run(
        'curl post',
        'sh',
        '-c',
        'head -c 10000000 /dev/zero | exec "$0" "$@"',
        'curl',
        '-sS',
        ...upload,
      )
      if (posted !== '{"octets":10000000}') faults.push(`10 MB posted: ${posted}`)
      return `${requests + 1} requests`
    }),
}

/**
 * What curl 7.88 can't do at any server, the kernel's included: a second request by HTTP/2 in clear on one connection ("Error in the HTTP2
 * framing layer"), and many at once by HTTP/2 where its send buffer fills ("bad write retry"). nghttp and h2load can.
 */
function crowdOf(origin: string): string[] {
  if (origin === HTTP2_CLEAR) return [`${origin}/`]
  return [...(origin === HTTP2 ? [] : ['-Z', '--parallel-max', '100']), `${origin}/?[1-300]`]
}

const wrk: Claim = {
  name: 'wrk -c 64 against Fastify, https by TLS 1.3 and 1.2',
  bar: "no error, the client's address",
  measure: () =>
    measured(async ({ run, faults }) => {
      const rates: string[] = []
      for (const [name, origin] of [
        ['Fastify', FASTIFY],
        ['TLS 1.3', TLS_13],
        ['TLS 1.2', TLS_12],
      ]) {
        const words = await run(`wrk ${name}`, 'wrk', '-c', '64', '-t', '2', '-d', '5s', `${origin}/who`)
        const trouble = /Socket errors.*|Non-2xx.*/.exec(words)
        if (trouble) faults.push(`${name}: ${trouble[0]}`)
        const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(words)?.[1])
        if (!(rate > 0)) faults.push(`${name}: nothing was answered`)
        rates.push(`${name} ${Math.round(rate)}/s`)
      }
      return rates.join(', ')
    }),
}

const http2: Claim = {
  name: 'nghttp, and h2load -c 10 -m 32, against HTTP/2 with TLS and in clear',
  bar: "no error, the client's address",
  measure: () =>
    measured(async ({ run, faults }) => {
      const rates: string[] = []
      for (const origin of [HTTP2, HTTP2_CLEAR]) {
        const who = await run('nghttp', 'nghttp', '--no-verify-peer', `${origin}/who`)
        if (!who.includes(`"address":"${HOST}"`)) faults.push(`nghttp ${origin}: ${who}`)
        const large = await run('nghttp', 'nghttp', '--no-verify-peer', '-m', '20', `${origin}/large`)
        if (large.length !== 20_000_000) faults.push(`nghttp ${origin}/large 20 times: ${large.length} octets`)
        const words = await run('h2load', 'h2load', '-c', '10', '-m', '32', '-n', String(STREAMS), `${origin}/who`)
        const counts = `${STREAMS} succeeded, 0 failed, 0 errored, 0 timeout`
        if (!words.includes(counts))
          faults.push(`h2load ${origin}: ${/requests: .*/.exec(words)?.[0] ?? words.slice(0, 100)}`)
        rates.push(`${origin} ${/([\d.]+) req\/s/.exec(words)?.[1]}/s`)
      }
      return rates.join(', ')
    }),
}

const chat: Claim = {
  name: 'a chat by ws, and by wss, of 64 who say 20 things each, beside one another',
  bar: 'everybody hears everything, from the right address',
  measure: () =>
    measured(async ({ run, faults }) => {
      let heard = 0
      for (const url of [`ws://${ADDRESS}/`, `wss://${ADDRESS}/`]) {
        const words = await run(`chat ${url}`, process.execPath, CHAT, url, '64', '20', HOST)
        const result = JSON.parse(words || '{}') as { heard?: number; wrong?: number }
        if (result.heard !== 64 * 64 * 20 || result.wrong !== 0) faults.push(`${url}: ${words}`)
        heard += result.heard ?? 0
      }
      return `${heard} messages heard`
    }),
}

const browser: Claim = {
  name: 'headless Chromium on pages of Fastify, https by TLS 1.3 and 1.2 and HTTP/2, 100 requests each, and two of it in a chat by ws and wss',
  bar: "no error, the client's address",
  measure: () =>
    measured(async ({ run, faults }) => {
      if (!existsSync(CHROMIUM)) throw new CannotMeasure(`${CHROMIUM} is missing: install chromium`)
      const words = await run('Chromium', process.execPath, BROWSER, CHROMIUM, HOST, FASTIFY, TLS_13, TLS_12, HTTP2)
      const result = JSON.parse(words || '{}') as { faults?: string[]; pages?: string[]; messages?: number }
      faults.push(...(result.faults ?? ['it said nothing']))
      return `${result.pages?.join(', ')}, ${result.messages} messages`
    }),
}

export const claims: Claim[] = [curl, wrk, http2, chat, browser]
