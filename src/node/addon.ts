// The native addon: found and loaded at its first use, never at import, so that everything but the TUN device works
// without it. In a clone node-gyp has built it; a published package carries one for each kind of Linux.
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What the C code exports. A device is a number that is used for no other after it was closed. */
export interface Addon {
  /** How many requests libuv has in flight. */
  activeRequests(): number
  open(
    name: string,
    /**
     * 0 for none, 1 for the kernel's, and software for segmentation that it does not have, 2 for software, 3 for that and the kernel's
     * merging of what it gets.
     */
    offload: number,
    namespace: string,
    /** 1 to write many packets at once, where the kernel can. */
    ring: number,
  ): { device: number; name: string; header: number; offload: number; software: number; ring: number }
  close(device: number): void
  facts(device: number, name: string): { index: number; mtu: number; queueLength: number; up: number }
  configure(device: number, mtu: number, queueLength: number, up: number): void
  addAddress(device: number, address: string, prefix: number): void
  /** 1 where the kernel answers on the address already. */
  isUsable(device: number, address: string, prefix: number): number
  addRoute(device: number, address: string, prefix: number, gateway: string | null): void
  /** How many long packets to the addresses that the device has now leave as one at most; 0 where none do. */
  join(device: number): number
  /** Calls back with the events of each readiness, or with the negative errno that ended the watch. */
  watch(device: number, callback: (events: number) => void): void
  await(device: number, events: number): void
  hold(device: number, isHeld: number): void
  receive(
    device: number,
    bytes: Uint8Array,
    offsets: Int32Array,
    lengths: Int32Array,
    row: number,
    at: number,
    gap: number,
    largest: number,
  ): number
  transmit(
    device: number,
    bytes: Uint8Array,
    offsets: Int32Array,
    lengths: Int32Array,
    first: number,
    end: number,
  ): number
  /** How many octets its memory begins after a multiple of `unit`. */
  beyond(bytes: Uint8Array, unit: number): number
  errorName(error: number): string
}

/** The package's folder, from wherever in it this was compiled to. */
const ROOT = rootAbove(dirname(fileURLToPath(import.meta.url)))

interface Loading {
  addon: Addon | null
  /** Why there is none. */
  fault: string
  /** The file it came from. */
  path: string
}

let loading: Loading | null = null

/** The addon, or null where there is none that can be loaded; `addonFault` then says why. */
export function findAddon(): Addon | null {
  loading ??= load()
  return loading.addon
}

/** One sentence: what is missing, and how to get it. Empty where the addon is there. */
export function addonFault(): string {
  loading ??= load()
  return loading.fault
}

/** The file that was loaded; empty where none was. */
export function addonPath(): string {
  loading ??= load()
  return loading.path
}

/** 'linux-x64-glibc' and the like: the folder of `prebuilds` for this process. */
export function addonPlatform(): string {
  const library = process.platform !== 'linux' ? '' : isMusl() ? '-musl' : '-glibc'
  return `${process.platform}-${process.arch}${library}`
}

function load(): Loading {
  const require = createRequire(import.meta.url)
  const built = join(ROOT, 'build', 'Release', 'tunstack.node')
  const carried = join(ROOT, 'prebuilds', addonPlatform(), 'tunstack.node')
  const remedy = `${existsSync(join(ROOT, 'src')) ? 'npm run prepare' : 'npx node-gyp rebuild'}" in ${ROOT}`
  let fault = ''
  for (const path of [built, carried]) {
    if (!existsSync(path)) continue
    try {
      return { addon: require(path) as Addon, fault: '', path }
    } catch (error) {
      fault ||= `The native addon ${path} can't be loaded (${(error as Error).message}): build it again with "${remedy}.`
    }
  }
  fault ||= `The native addon is not built for ${addonPlatform()}: install python3, make and a C compiler, then run "${remedy}.`
  return { addon: null, fault, path: '' }
}

function rootAbove(folder: string): string {
  const above = dirname(folder)
  return existsSync(join(folder, 'package.json')) || above === folder ? folder : rootAbove(above)
}

/** The C library of this process: the loader that Node's binary asks for stands among its first octets. */
function isMusl(): boolean {
  try {
    const head = Buffer.alloc(4096)
    const descriptor = openSync(process.execPath, 'r')
    try {
      readSync(descriptor, head, 0, head.length, 0)
    } finally {
      closeSync(descriptor)
    }
    return head.includes('/ld-musl-')
  } catch {
    return false
  }
}
