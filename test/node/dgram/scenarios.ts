// What happens to datagram sockets, told as a log: the same programs on the kernel's sockets and on a stack's must tell the same.
import type * as node from 'node:dgram'
import { once } from 'node:events'

export type DgramModule = typeof node
export type Log = (...words: unknown[]) => void
export type Program = (dgram: DgramModule, log: Log) => Promise<void>

/** What a call throws, or returns. */
export function attempt(log: Log, name: string, call: () => unknown): void {
  try {
    log(name, 'returns', typeOf(call()))
  } catch (error) {
    log(name, 'throws', withoutPorts(String(error)), (error as Error).name, shapeOf(error as Error))
  }
}

function typeOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? 'an object' : value
}

/** What of an error a program may ask for; ports differ from run to run. */
export function shapeOf(error: Error): Record<string, unknown> {
  const { code, errno, syscall, address, port, message, info } = error as NodeJS.ErrnoException & {
    address?: string
    port?: number
    info?: unknown
  }
  return { code, errno, syscall, address, hasPort: port !== undefined, message: withoutPorts(message), info }
}

export function withoutPorts(text: string): string {
  return text.replace(/\d{4,5}\b/g, 'PORT')
}

/** Logs what happens to a socket. */
export function watch(socket: node.Socket, log: Log, name = ''): node.Socket {
  for (const event of ['listening', 'connect', 'close'] as const) socket.on(event, () => log(name, event))
  socket.on('error', (error) => log(name, 'error', shapeOf(error)))
  socket.on('message', (message, { address, family, size }) => log(name, String(message), address, family, size))
  return socket
}

export async function bound(socket: node.Socket, ...args: unknown[]): Promise<number> {
  Reflect.apply(socket.bind, socket, args.length === 0 ? [0, '127.0.0.1'] : args)
  await once(socket, 'listening')
  return socket.address().port
}

/** A port on which nobody listens. */
export async function unusedPort(dgram: DgramModule): Promise<number> {
  const socket = dgram.createSocket('udp4')
  const port = await bound(socket)
  await closed(socket)
  return port
}

export async function closed(...sockets: node.Socket[]): Promise<void> {
  for (const socket of sockets) {
    socket.close()
    await once(socket, 'close')
  }
}

/** What `send` tells its callback. */
export function sent(socket: node.Socket, ...args: unknown[]): Promise<string> {
  return new Promise((done) => {
    const callback = (error: Error | null, size: number) =>
      done(error ? JSON.stringify(shapeOf(error)) : `${size} sent`)
    Reflect.apply(socket.send, socket, [...args, callback])
  })
}

/** The next messages as text. */
export async function messages(socket: node.Socket, count: number): Promise<string[]> {
  const texts: string[] = []
  return new Promise((done) => {
    socket.on('message', (message) => {
      texts.push(String(message))
      if (texts.length === count) done(texts)
    })
  })
}

export function ticks(count = 5): Promise<void> {
  return new Promise((done) => {
    let left = count
    const next = () => (left-- === 0 ? done() : setImmediate(next))
    next()
  })
}
