// What of Node's insides a simulated host stands on: the classes under its sockets, the resolver's calls, and symbols, which are found by
// their description. One place for all of them, each with the oldest Node that has it where that is not 20.
import type { SocketName } from '../net/host.ts'

export type Method = (...args: never[]) => unknown
export type Methods = Record<PropertyKey, Method>

/** A stream of Node's core whose octets come from JS: TLS, HTTP/2 and the HTTP parser read from it as from a kernel's socket. */
export interface JsStream {
  reading: boolean
  readonly bytesRead: number
  readBuffer(bytes: Uint8Array): void
  emitEOF(): void
  finishWrite(request: object, status: number): void
  finishShutdown(request: object, status: number): void
}

export interface ConnectRequest {
  oncomplete?: (status: number, handle: object, request: object, isReadable: boolean, isWritable: boolean) => void
}

export interface NameRequest {
  oncomplete(error: number | string | null, ...results: unknown[]): void
}

export interface NamedHandle {
  getsockname(name: SocketName): number
  getpeername(name: SocketName): number
}

type Constructor = { readonly prototype: Methods }

interface Bindings {
  js_stream: { JSStream: new () => JsStream }
  tcp_wrap: { TCP: Constructor }
  udp_wrap: { UDP: Constructor }
  cares_wrap: Methods & { ChannelWrap: Constructor }
  zlib: Record<string, Constructor | undefined>
}

/** Deprecated, and there in every Node up to now: nothing else leads to these classes. */
export function binding<Name extends keyof Bindings>(name: Name): Bindings[Name] {
  return (process as unknown as { binding(name: string): unknown }).binding(name) as Bindings[Name]
}

export function symbolOf(holder: object, description: string): symbol | undefined {
  for (let at: object | null = holder; at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertySymbols(at).find((symbol) => symbol.description === description)
    if (found !== undefined) return found
  }
  return undefined
}
