// What Node has under way beside the event loop: while there is any of it, virtual time stands. The addon asks libuv for its number of
// requests. Without it `async_hooks` sees them begin and end, which makes an await ten times as long, and zlib is watched by its calls.
// Workers and child processes are seen by neither: they need `network.hold`.
import { createHook } from 'node:async_hooks'
import { findAddon } from '../addon.ts'
import { binding } from './bindings.ts'
import { Patches } from './patches.ts'

export interface Pending {
  readonly count: number
  close(): void
}

/** Node's names for what is asked once and answered once. */
const ONCE = /^(FSREQ|FILEHANDLECLOSEREQ|GETADDRINFOREQ|GETNAMEINFOREQ|QUERYWRAP)/

/** Those of crypto, which are made for calls too that do it at once: then nobody is told of the end. */
const OF_CRYPTO =
  /^(CHECKPRIME|CIPHER|DERIVEBITS|HASH|KEYEXPORT|KEYGEN|KEYPAIRGEN|PBKDF2|RANDOMBYTES|RANDOMPRIME|SCRYPT|SIGN|VERIFY)/

const STREAMS_OF_ZLIB = ['Zlib', 'BrotliEncoder', 'BrotliDecoder', 'ZstdCompress', 'ZstdDecompress']

let hasSaid = false

export function pendingRequests(): Pending {
  const addon = findAddon()
  if (addon !== null) {
    return {
      get count() {
        return addon.activeRequests()
      },
      close: () => {},
    }
  }
  if (!hasSaid) {
    hasSaid = true
    const message = 'tunstack/simulate works without its native addon, and slower: it watches requests by async_hooks'
    process.emitWarning(message, { type: 'TunstackWarning', code: 'TUNSTACK_NO_ADDON' })
  }
  return watchedRequests()
}

interface CryptoJob {
  ondone?: unknown
}

interface ZlibHandle {
  getAsyncId(): number
}

function watchedRequests(): Pending {
  const requests = new Map<number, CryptoJob | null>()
  /** Of a stream each write is a request, and the stream lives on. */
  const writes = new Set<number>()
  const hook = createHook({
    init(id, type, _trigger, resource) {
      if (ONCE.test(type)) requests.set(id, null)
      else if (OF_CRYPTO.test(type)) requests.set(id, resource)
    },
    before(id) {
      writes.delete(id)
    },
    after(id) {
      requests.delete(id)
    },
    destroy(id) {
      requests.delete(id)
      writes.delete(id)
    },
  }).enable()
  const patches = new Patches()
  const zlib = binding('zlib')
  for (const name of STREAMS_OF_ZLIB) {
    const prototype = zlib[name]?.prototype
    if (prototype === undefined) continue
    patches.replace(prototype, 'write', (write) => {
      return function (this: ZlibHandle, ...args: unknown[]) {
        writes.add(this.getAsyncId())
        return Reflect.apply(write, this, args)
      }
    })
    // A stream that is closed answers no more.
    patches.replace(prototype, 'close', (close) => {
      return function (this: ZlibHandle, ...args: unknown[]) {
        writes.delete(this.getAsyncId())
        return Reflect.apply(close, this, args)
      }
    })
  }
  return {
    get count() {
      for (const [id, job] of requests) if (job !== null && job.ondone === undefined) requests.delete(id)
      return requests.size + writes.size
    },
    close: () => {
      hook.disable()
      patches.restore()
    },
  }
}
