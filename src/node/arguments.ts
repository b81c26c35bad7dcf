// Checks of arguments that throw what Node throws, for `net` and `dgram`.
import { badPort, invalidArgType, outOfRange } from './errors.ts'

export function checkNumber(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw invalidArgType(name, ['number'], value)
}

export function checkString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw invalidArgType(name, ['string'], value)
}

export function checkBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw invalidArgType(name, ['boolean'], value)
}

// biome-ignore lint/complexity/noBannedTypes: whatever can be called will do
export function checkFunction(value: unknown, name: string): asserts value is Function {
  if (typeof value !== 'function') throw invalidArgType(name, ['function'], value)
}

const LARGEST_INT32 = 0x7fff_ffff

export function checkInt32(value: unknown, name: string, least: number): asserts value is number {
  checkNumber(value, name)
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value)
  if (value < least || value > LARGEST_INT32) throw outOfRange(name, `>= ${least} && <= ${LARGEST_INT32}`, value)
}

const LARGEST_UINT32 = 0xffff_ffff

export function checkUint32(value: unknown, name: string): asserts value is number {
  checkNumber(value, name)
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value)
  if (value < 0 || value > LARGEST_UINT32) throw outOfRange(name, `>= 0 && <= ${LARGEST_UINT32}`, value)
}

/** A port that something can be sent to, or a text of one. */
export function checkPeerPort(value: unknown, name = 'Port'): number {
  const port = toPort(value)
  if (port === null || port === 0) throw badPort(name, value, '>')
  return port
}

/** A number, or a text of one. */
export function checkPort(value: unknown, name = 'Port'): number {
  const port = toPort(value)
  if (port === null) throw badPort(name, value)
  return port
}

function toPort(value: unknown): number | null {
  const isText = typeof value === 'string' && value.trim().length > 0
  const port = typeof value === 'number' || isText ? Number(value) : Number.NaN
  return port !== port >>> 0 || port > 0xffff ? null : port
}

export function checkSignal(value: unknown, name: string): asserts value is AbortSignal {
  if (value === null || typeof value !== 'object' || !('aborted' in value)) {
    throw invalidArgType(name, ['AbortSignal'], value)
  }
}

/** Milliseconds for a timer. More than a timer can wait is as much as it can. */
export function checkDuration(value: unknown, name: string): number {
  checkNumber(value, name)
  if (value < 0 || !Number.isFinite(value)) throw outOfRange(name, 'a non-negative finite number', value)
  if (value <= LARGEST_INT32) return value
  const message = `${value} does not fit into a 32-bit signed integer.\nTimer duration was truncated to ${LARGEST_INT32}.`
  process.emitWarning(message, 'TimeoutOverflowWarning')
  return LARGEST_INT32
}
