// llhttp's own test vectors, read as data from a checkout of it (`LLHTTP_TESTS=…/llhttp/test/request`): whatever it refuses when it is
// not lenient, we refuse. We are stricter than it is in places, so what it accepts is counted and not held against us.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Talk } from '../../test/http/talk.ts'
import { CannotMeasure, type Claim } from './claim.ts'

interface Vector {
  name: string
  octets: Uint8Array
  isRefused: boolean
}

const SECTION = /^#+ (.+)\n([\s\S]*?)(?=^#+ |$(?![\s\S]))/gm
const META = /<!-- meta=(\{.*?\}) -->/
const REQUEST = /^```http\n([\s\S]*?)\n?^```/m
/** Refused for what follows a request that says it is the last (5), or only because a program asked it to stop (21 and above, but not 25, 30). */
const OF_NO_CONCERN = new Set([5, 21, 22, 23, 24, 31])

function readVectors(folder: string): Vector[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.md'))
  return files.flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n')
    return [...text.matchAll(SECTION)].flatMap(([, name, section]) => {
      const meta = META.exec(section)?.[1]
      const request = REQUEST.exec(section)?.[1]
      if (meta === undefined || request === undefined || JSON.parse(meta).type !== 'request') return []
      const code = / error code=(\d+)/.exec(section)?.[1]
      if (code !== undefined && OF_NO_CONCERN.has(Number(code))) return []
      return [{ name: `${file}: ${name}`, octets: octetsOf(request), isRefused: code !== undefined }]
    })
  })
}

/** Lines end with CR LF, unless a backslash takes that away; other ends and odd octets are escapes. */
function octetsOf(text: string): Uint8Array {
  const whole = text.replace(/\\\n/g, '').replaceAll('\n', '\r\n')
  const plain = whole.replace(/\\(r|n|t|f|x[\da-f]{2}|[0-7]{1,3}|["\\])/gi, (written, what: string) => {
    const known = { r: '\r', n: '\n', t: '\t', f: '\f' }[what]
    if (known !== undefined) return known
    if (what === '"' || what === '\\') return written
    return String.fromCharCode(
      what.startsWith('x') ? Number.parseInt(what.slice(1), 16) : Number.parseInt(what, 8) & 255,
    )
  })
  return Uint8Array.from(Buffer.from(plain, 'latin1'))
}

/** Refused, or at least never handled as a request. */
async function refuses(octets: Uint8Array): Promise<boolean> {
  let isWhole = false
  const talk = new Talk(async (request) => {
    for await (const _ of request.pieces());
    isWhole = true
    return ''
  })
  const client = await talk.exchange(octets)
  return /^HTTP\/1\.1 [45]/m.test(client.text) || !isWhole
}

export const vectors: Claim = {
  name: "llhttp's own test vectors of requests",
  bar: 'whatever it refuses is refused',
  async measure() {
    const folder = process.env.LLHTTP_TESTS
    if (folder === undefined || !existsSync(folder))
      throw new CannotMeasure('name the folder test/request of a checkout of llhttp in LLHTTP_TESTS')
    const all = readVectors(folder)
    const accepted: string[] = []
    const counts = { refused: 0, stricter: 0 }
    for (const { name, octets, isRefused } of all) {
      const isRefusedHere = await refuses(octets)
      if (isRefused && !isRefusedHere) accepted.push(name)
      if (isRefused) counts.refused++
      else if (isRefusedHere) counts.stricter++
    }
    const figure = `${all.length} vectors, ${counts.refused} refused by llhttp, ${counts.stricter} more by us`
    return { figure: [figure, ...accepted].join('; '), holds: all.length > 0 && accepted.length === 0 }
  },
}
