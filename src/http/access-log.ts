// The access log: what is told of each request, and its lines in the forms that people have tools for.
import { httpDate } from './date.ts'

export interface LogEntry {
  readonly remoteAddress: string
  readonly remotePort: number
  /** Milliseconds since 1970. */
  readonly wall: number
  /** Null where no request could be made out. */
  readonly method: string | null
  readonly target: string | null
  readonly minor: number
  /** 0 where none was sent. */
  readonly status: number
  /** Of the body that was sent. */
  readonly octets: number
  readonly referer: string | null
  readonly userAgent: string | null
  /** From the head's end to here; without a head, from the first octet or from the connection's beginning. */
  readonly milliseconds: number
  /** `aborted`: the client went before it had its answer. `silent`: the connection is over, and not an octet of a request ever came. */
  readonly outcome: 'done' | 'aborted' | 'silent'
}

export type LogFormat = 'common' | 'combined' | 'json'

export function logLine(entry: LogEntry, format: LogFormat): string {
  if (format === 'json') return jsonLine(entry)
  const line = commonLine(entry)
  return format === 'common' ? line : `${line} ${quoted(entry.referer)} ${quoted(entry.userAgent)}`
}

/** `host ident user [date] "request" status octets`; nobody is asked for ident and user. */
function commonLine({ remoteAddress, wall, method, target, minor, status, octets }: LogEntry): string {
  const request = method === null ? '-' : `${method} ${target} HTTP/1.${minor}`
  return `${remoteAddress} - - [${logDate(wall)}] ${quoted(request)} ${status || '-'} ${octets || '-'}`
}

function jsonLine(entry: LogEntry): string {
  const { wall, milliseconds, ...rest } = entry
  return JSON.stringify({
    time: new Date(wall).toISOString(),
    ...rest,
    milliseconds: Math.round(milliseconds * 1000) / 1000,
  })
}

/** `10/Oct/2000:13:55:36 +0000`. */
function logDate(wall: number): string {
  const [, day, month, year, time] = httpDate(wall).split(' ')
  return `${day}/${month}/${year}:${time} +0000`
}

/** Nothing that a client sends ends a line or a field of it. */
function quoted(text: string | null): string {
  if (text === null || text === '') return '"-"'
  return `"${text.replace(/[^ !#-[\]-~]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`
}
