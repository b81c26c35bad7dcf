// A single range of octets (RFC 9110 §14). Several at once are answered with the whole, as anybody may (§14.2).

export interface OctetRange {
  readonly start: number
  /** After the last one. */
  readonly end: number
}

/** Null: the whole is to be sent. 'unsatisfiable': 416. */
export function parseRange(field: string | null, length: number): OctetRange | 'unsatisfiable' | null {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(field ?? '')
  if (match === null) return null
  const [, first, last] = match
  if (first === '' && last === '') return null
  if (first === '') {
    const suffix = Number(last)
    if (suffix === 0 || length === 0) return 'unsatisfiable'
    return { start: Math.max(0, length - suffix), end: length }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return null
  if (start >= length) return 'unsatisfiable'
  return { start, end: last === '' ? length : Math.min(length, Number(last) + 1) }
}

export function contentRange(range: OctetRange | null, length: number): string {
  return range === null ? `bytes */${length}` : `bytes ${range.start}-${range.end - 1}/${length}`
}
