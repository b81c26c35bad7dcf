// The dashboard of `tunstack serve`, at `/_tunstack/`: the files of its page, and what the page listens to. For allowed addresses only,
// since it shows who is connected and what crosses.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Command } from 'cac'
import {
  type Answer,
  evaluate,
  HttpError,
  type HttpRequest,
  HttpResponse,
  peerFilter,
  type Watchable,
} from '../index.ts'
import type { PortableStack } from '../portable.ts'
import type { Allowed } from './allowed.ts'
import { LiveFeeds } from './live-feed.ts'

const BASE = '/_tunstack/'
const FILES: Record<string, { file: string; type: string }> = {
  '': { file: 'index.html', type: 'text/html; charset=utf-8' },
  'page.css': { file: 'page.css', type: 'text/css; charset=utf-8' },
  'page.js': { file: 'page.js', type: 'text/javascript; charset=utf-8' },
}
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const FOLDER = new URL('../dashboard/', import.meta.url)

export function addDashboardOptions(command: Command): Command {
  return command
    .option('--no-dashboard', 'Without the dashboard at /_tunstack/')
    .option('--dashboard-allow <networks>', 'Who may look at it, such as 10.0.0.0/8', {
      default: "the host side's own networks",
    })
}

interface Asset {
  readonly type: string
  readonly etag: string
  readonly plain: HttpResponse
  readonly compressed: HttpResponse
}

/** Answers for the paths that are the dashboard's; null for all others. `networks`: who may look unless settings say so. */
export function dashboard(
  stack: PortableStack,
  links: () => readonly Watchable[],
  { allow }: Allowed,
  networks: readonly string[],
): (request: HttpRequest) => Answer | null {
  const allowed = allow ?? networks
  const admits = peerFilter(allowed, [])
  const feeds = new LiveFeeds(stack, links)
  const assets = new Map<string, Asset>()
  return (request) => {
    const { path, method, endpoint } = request
    const name = path.slice(BASE.length)
    if (!path.startsWith(BASE) || !(name in FILES || name === 'live')) return null
    if (method !== 'GET' && method !== 'HEAD') throw new HttpError(405, undefined, { Allow: 'GET, HEAD' })
    if (!admits(endpoint.remoteAddress)) throw new HttpError(403, refusal(`${endpoint.remoteAddress}`, allowed))
    if (name === 'live' && method === 'HEAD') throw new HttpError(405, undefined, { Allow: 'GET' })
    if (name === 'live') return feeds.answer(request)
    return answerWith(request, assets.get(name) ?? load(name, assets), stack.driver.time.wall())
  }
}

function refusal(address: string, allowed: readonly string[]): string {
  return `The dashboard is for ${allowed.join(' and ')}, and you are ${address}: "tunstack serve --dashboard-allow ${address}" lets you in.`
}

function load(name: string, assets: Map<string, Asset>): Asset {
  const { file, type } = FILES[name]
  const [octets, compressed] = [read(file), read(`${file}.gz`)]
  const etag = `"${createHash('sha256').update(octets).digest('base64url').slice(0, 16)}"`
  const headers = {
    'Content-Type': type,
    ETag: etag,
    'Cache-Control': 'no-cache',
    Vary: 'Accept-Encoding',
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  }
  const asset: Asset = {
    type,
    etag,
    plain: new HttpResponse(octets, { headers }),
    compressed: new HttpResponse(compressed, { headers: { ...headers, 'Content-Encoding': 'gzip' } }),
  }
  assets.set(name, asset)
  return asset
}

function read(file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(new URL(file, FOLDER)))
  } catch {
    throw new HttpError(404, 'The dashboard was not built here: "npm run prepare" builds it.')
  }
}

function answerWith(request: HttpRequest, { etag, plain, compressed }: Asset, wall: number): HttpResponse {
  if (evaluate(request, { etag, modified: null }, wall) === 'notModified') {
    return new HttpResponse(null, {
      status: 304,
      headers: { ETag: etag, 'Cache-Control': 'no-cache', Vary: 'Accept-Encoding' },
    })
  }
  return takesGzip(request.headers.get('accept-encoding')) ? compressed : plain
}

/** RFC 9110 §12.5.3: named, or meant by `*`, and not with a weight of 0. */
function takesGzip(field: string | null): boolean {
  if (field === null) return false
  const weights = new Map(
    field.split(',').map((one) => {
      const [coding, ...parameters] = one.split(';').map((part) => part.trim().toLowerCase())
      const weight = parameters.find((parameter) => parameter.startsWith('q='))
      return [coding, weight === undefined ? 1 : Number(weight.slice(2))] as const
    }),
  )
  return (weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0) > 0
}
