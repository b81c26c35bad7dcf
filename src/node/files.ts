// Static files for the HTTP server: content types, index files, listings where they are asked for, ranges and conditions. Small
// files are kept for a second, so that a busy one is answered at once; large ones are streamed in pieces that are lent to TCP.
// Nothing outside the folder is served, whatever `..`, links and hidden names say.
import { constants } from 'node:fs'
import { type FileHandle, open, readdir, realpath } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { evaluate, mayRange, type Validators } from '../http/conditional.ts'
import { httpDate } from '../http/date.ts'
import { contentRange, type OctetRange, parseRange } from '../http/range.ts'
import type { HttpRequest } from '../http/request.ts'
import { HttpResponse, type OctetSource } from '../http/response.ts'
import { HttpError } from '../http/status.ts'
import { contentType } from './content-types.ts'
import { listingPage } from './listing-page.ts'

export interface FilesOptions {
  /** A folder without an index file shows what is in it. */
  listing?: boolean
  /** 'index.html' when not given. */
  index?: string
}

/** Up to here a file is read whole, and kept for a while. */
const SMALL = 65_536
const MOST_KEPT = 256
const KEPT_FOR = 1000
const PIECE = 262_144

interface Kept {
  readonly octets: Uint8Array<ArrayBuffer>
  readonly validators: Validators
  readonly type: string
  readonly whole: HttpResponse
  /** On the stack's clock. */
  readonly until: number
}

export class Files {
  readonly #root: string
  readonly #listing: boolean
  readonly #index: string
  readonly #kept = new Map<string, Kept>()

  /** Throws where there is no such folder. */
  static async open(root: string, options: FilesOptions = {}): Promise<Files> {
    const real = await realpath(root)
    await readdir(real)
    return new Files(real, options)
  }

  private constructor(root: string, { listing = false, index = 'index.html' }: FilesOptions) {
    this.#root = root
    this.#listing = listing
    this.#index = index
  }

  /** A handler: answers GET and HEAD. */
  handle = (request: HttpRequest, wall = 0): HttpResponse | Promise<HttpResponse> => {
    const { method, path } = request
    if (method !== 'GET' && method !== 'HEAD') throw new HttpError(405, undefined, { Allow: 'GET, HEAD' })
    const kept = this.#kept.get(path)
    if (kept !== undefined && kept.until > request.at) return answerKept(request, kept, wall)
    return this.#find(request, path, wall)
  }

  async #find(request: HttpRequest, path: string, wall: number): Promise<HttpResponse> {
    const segments = segmentsOf(path)
    const isFolder = path.endsWith('/')
    let place = await this.#resolve(segments)
    let file = await openFile(place)
    if (file === null) {
      // Not as the path was written: `//elsewhere/` would lead to another host.
      if (!isFolder) return HttpResponse.redirect(`/${segments.map(encodeURIComponent).join('/')}/`, 308)
      place = join(place, this.#index)
      file = await this.#openIndex(place)
      if (file === null) return this.#list(segments)
    } else if (isFolder) {
      await file.close()
      throw new HttpError(404)
    }
    return this.#answer(request, path, place, file, wall)
  }

  async #openIndex(place: string): Promise<FileHandle | null> {
    try {
      return await openFile(await this.#within(place))
    } catch (error) {
      if (error instanceof HttpError && error.status === 404) return null
      throw error
    }
  }

  #resolve(segments: readonly string[]): Promise<string> {
    return this.#within(join(this.#root, ...segments))
  }

  /** Where links lead must be within the folder as well. */
  async #within(place: string): Promise<string> {
    const real = await realpath(place).catch((error: NodeJS.ErrnoException) => {
      throw new HttpError(error.code === 'EACCES' ? 403 : 404)
    })
    const root = this.#root.endsWith(sep) ? this.#root : this.#root + sep
    if (real !== this.#root && !real.startsWith(root)) throw new HttpError(403)
    return real
  }

  async #list(segments: readonly string[]): Promise<HttpResponse> {
    if (!this.#listing) throw new HttpError(404)
    const entries = await readdir(await this.#resolve(segments), { withFileTypes: true })
    const shown = entries.filter(({ name }) => !name.startsWith('.'))
    const names = shown.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    return HttpResponse.html(listingPage(`/${segments.join('/')}`, names.sort()))
  }

  async #answer(request: HttpRequest, path: string, place: string, file: FileHandle, wall: number) {
    let isStreamed = false
    try {
      const { size, mtimeMs } = await file.stat()
      const validators = { etag: `"${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}"`, modified: mtimeMs }
      const type = contentType(extname(place))
      if (size <= SMALL) {
        const octets = new Uint8Array(size)
        const { bytesRead } = await file.read(octets, 0, size, 0)
        return answerKept(request, this.#keep(path, octets.subarray(0, bytesRead), validators, type, request.at), wall)
      }
      const { response, range } = judge(request, validators, type, size, wall)
      if (response !== null) return response
      isStreamed = true
      return partOf(range, size, validators, type, new FilePart(file, range ?? { start: 0, end: size }))
    } finally {
      if (!isStreamed) await file.close()
    }
  }

  #keep(path: string, octets: Uint8Array<ArrayBuffer>, validators: Validators, type: string, now: number): Kept {
    const headers = fieldsOf(validators, type)
    const whole = new HttpResponse(octets, { headers })
    const kept = { octets, validators, type, whole, until: now + KEPT_FOR }
    if (this.#kept.size >= MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value as string)
    this.#kept.delete(path)
    this.#kept.set(path, kept)
    return kept
  }
}

function answerKept(request: HttpRequest, { octets, validators, type, whole }: Kept, wall: number): HttpResponse {
  const { response, range } = judge(request, validators, type, octets.length, wall)
  if (response !== null) return response
  if (range === null) return whole
  return partOf(range, octets.length, validators, type, octets.subarray(range.start, range.end))
}

/** What conditions and ranges make of it: an answer already, or the part that is to be sent. */
function judge(
  request: HttpRequest,
  validators: Validators,
  type: string,
  length: number,
  wall: number,
): { response: HttpResponse | null; range: OctetRange | null } {
  const condition = evaluate(request, validators, wall)
  if (condition === 'failed') throw new HttpError(412)
  if (condition === 'notModified')
    return { response: new HttpResponse(null, { status: 304, headers: fieldsOf(validators, type) }), range: null }
  // RFC 9110 §14.2: of GET alone.
  const field = request.method === 'GET' ? request.headers.get('range') : null
  if (field === null || !mayRange(request, validators, wall)) return { response: null, range: null }
  const range = parseRange(field, length)
  if (range === 'unsatisfiable') throw new HttpError(416, undefined, { 'Content-Range': contentRange(null, length) })
  return { response: null, range }
}

function partOf(
  range: OctetRange | null,
  length: number,
  validators: Validators,
  type: string,
  body: Uint8Array<ArrayBuffer> | OctetSource,
): HttpResponse {
  const headers = fieldsOf(validators, type)
  if (range === null) return new HttpResponse(body, { headers })
  return new HttpResponse(body, { status: 206, headers: { ...headers, 'Content-Range': contentRange(range, length) } })
}

function fieldsOf({ etag, modified }: Validators, type: string): Record<string, string> {
  return {
    'Content-Type': type,
    'Accept-Ranges': 'bytes',
    ETag: etag ?? '',
    'Last-Modified': httpDate(modified ?? 0),
    'X-Content-Type-Options': 'nosniff',
  }
}

/** Of the path, decoded. Hidden names are refused, and with them `.` and `..`. */
function segmentsOf(path: string): string[] {
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch {
    throw new HttpError(400, 'The path is not encoded as paths are.')
  }
  if (decoded.includes('\0')) throw new HttpError(400, 'The path is not encoded as paths are.')
  const segments = decoded.split('/').filter((segment) => segment !== '')
  if (segments.some((segment) => segment.startsWith('.') || segment.includes('\\'))) throw new HttpError(403)
  return segments
}

/** Null where it is a folder. What is neither folder nor file is not served. */
async function openFile(place: string): Promise<FileHandle | null> {
  const file = await open(place, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw new HttpError(error.code === 'EACCES' || error.code === 'EPERM' ? 403 : 404)
  })
  const status = await file.stat()
  if (status.isFile()) return file
  await file.close()
  if (status.isDirectory()) return null
  throw new HttpError(403)
}

/** A part of a file, read as the client takes it. */
class FilePart implements OctetSource {
  readonly isLent = true
  readonly length: number
  readonly #file: FileHandle
  readonly #range: OctetRange

  constructor(file: FileHandle, range: OctetRange) {
    this.#file = file
    this.#range = range
    this.length = range.end - range.start
  }

  /** Nobody reads it, as for HEAD. */
  cancel(): void {
    this.#file.close().catch(() => {})
  }

  async *pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (let at = this.#range.start; at < this.#range.end; ) {
        const piece = new Uint8Array(Math.min(PIECE, this.#range.end - at))
        const { bytesRead } = await this.#file.read(piece, 0, piece.length, at)
        if (bytesRead === 0) return
        at += bytesRead
        yield piece.subarray(0, bytesRead)
      }
    } finally {
      await this.#file.close()
    }
  }
}
