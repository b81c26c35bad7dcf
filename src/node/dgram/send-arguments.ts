// How `send` may be called: `(octets[, offset, length][, port[, address]][, callback])`, without port and address once the socket is
// connected. Octets are a view, a text, or several of either.
import { checkPeerPort, checkString } from '../arguments.ts'
import { codedError, invalidArgType } from '../errors.ts'

export type Sendable = string | NodeJS.ArrayBufferView
export type SendCallback = (error: Error | null, size: number) => void

export interface SendArguments {
  parts: NodeJS.ArrayBufferView[]
  port: number | null
  address: string | undefined
  callback: SendCallback | undefined
}

const SENDABLE = ['Buffer', 'TypedArray', 'DataView', 'string']

export function sortSend(args: readonly unknown[], isConnected: boolean): SendArguments {
  let [data, , , port, address, callback] = args
  if (!isConnected) {
    const isWhole = !address && (!port || typeof port === 'function')
    if (isWhole) [, port, address, callback] = args
    else data = slice(data, args[1], args[2])
  } else {
    if (typeof args[2] === 'number') {
      data = slice(data, args[1], args[2])
      if (typeof port === 'function') {
        callback = port
        port = null
      }
    } else callback = args[1]
    if (port || address) throw isConnectedError()
  }
  const parts = partsOf(data)
  const peerPort = isConnected ? null : checkPeerPort(port)
  if (typeof address === 'function') {
    callback = address
    address = undefined
  } else if (address !== undefined && address !== null) checkString(address, 'address')
  return {
    parts,
    port: peerPort,
    address: address as string | undefined,
    callback: typeof callback === 'function' ? (callback as SendCallback) : undefined,
  }
}

export function isConnectedError(): Error {
  return codedError(Error, 'ERR_SOCKET_DGRAM_IS_CONNECTED', 'Already connected')
}

function partsOf(data: unknown): NodeJS.ArrayBufferView[] {
  if (typeof data === 'string') return [Buffer.from(data)]
  if (isView(data)) return [data]
  if (!Array.isArray(data)) throw invalidArgType('buffer', SENDABLE, data)
  if (!data.every((part) => typeof part === 'string' || isView(part))) {
    throw invalidArgType('buffer list arguments', SENDABLE, data)
  }
  return data.length === 0
    ? [Buffer.alloc(0)]
    : data.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))
}

function isView(data: unknown): data is NodeJS.ArrayBufferView {
  return ArrayBuffer.isView(data)
}

function slice(data: unknown, from: unknown, count: unknown): Buffer {
  const octets = typeof data === 'string' ? Buffer.from(data) : data
  if (!ArrayBuffer.isView(octets)) throw invalidArgType('buffer', SENDABLE, octets)
  const offset = Number(from) >>> 0
  const length = Number(count) >>> 0
  if (offset > octets.byteLength) throw outOfBounds('offset')
  if (offset + length > octets.byteLength) throw outOfBounds('length')
  return Buffer.from(octets.buffer as ArrayBuffer, octets.byteOffset + offset, length)
}

function outOfBounds(name: string): Error {
  return codedError(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', `"${name}" is outside of buffer bounds`)
}
