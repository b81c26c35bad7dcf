// Conditional requests (RFC 9110 §13): whether what the client has is still what we have. Evaluated in the order of §13.2.2.
import { parseHttpDate } from './date.ts'
import type { HttpRequest } from './request.ts'

export interface Validators {
  /** With its quotes: `"…"`, or `W/"…"` for a weak one. */
  readonly etag: string | null
  /** Milliseconds since 1970. */
  readonly modified: number | null
}

export type Condition = 'proceed' | 'notModified' | 'failed'

export function evaluate(request: HttpRequest, { etag, modified }: Validators, now: number): Condition {
  const { headers, method } = request
  const isRead = method === 'GET' || method === 'HEAD'
  // HTTP dates know whole seconds.
  const seconds = modified === null ? null : Math.floor(modified / 1000) * 1000
  const ifMatch = headers.get('if-match')
  if (ifMatch !== null) {
    if (!isListed(ifMatch, etag, true)) return 'failed'
  } else {
    const unmodifiedSince = dateOf(headers.get('if-unmodified-since'), now)
    if (unmodifiedSince !== null && seconds !== null && seconds > unmodifiedSince) return 'failed'
  }
  const ifNoneMatch = headers.get('if-none-match')
  if (ifNoneMatch !== null) {
    if (!isListed(ifNoneMatch, etag, false)) return 'proceed'
    return isRead ? 'notModified' : 'failed'
  }
  const modifiedSince = isRead ? dateOf(headers.get('if-modified-since'), now) : null
  return modifiedSince !== null && seconds !== null && seconds <= modifiedSince ? 'notModified' : 'proceed'
}

/** RFC 9110 §13.1.5: whether a range may be sent, or the whole must be. */
export function mayRange(request: HttpRequest, { etag, modified }: Validators, now: number): boolean {
  const ifRange = request.headers.get('if-range')
  if (ifRange === null) return true
  if (ifRange.startsWith('"')) return etag === ifRange
  // A weak tag never compares strongly.
  if (ifRange.startsWith('W/')) return false
  const date = dateOf(ifRange, now)
  return date !== null && modified !== null && Math.floor(modified / 1000) * 1000 === date
}

/** Strongly: no weak tags (§8.8.3.2). */
function isListed(field: string, etag: string | null, isStrong: boolean): boolean {
  if (field.trim() === '*') return etag !== null
  if (etag === null || (isStrong && etag.startsWith('W/'))) return false
  for (const [tag] of field.matchAll(/(?:W\/)?"[^"]*"/g)) {
    if (isStrong ? tag === etag : opaque(tag) === opaque(etag)) return true
  }
  return false
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag
}

function dateOf(field: string | null, now: number): number | null {
  return field === null ? null : parseHttpDate(field, now)
}
