// What was expected and what came, side by side: a row an event, and the marks that say where they differ.
import type { Difference } from './comparison.ts'

export interface TraceRow {
  readonly line: number
  readonly expected: string
  readonly got: string
  readonly isDifferent: boolean
}

export class Trace {
  readonly rows: TraceRow[] = []

  add(line: number, expected: string, got: string, isDifferent = false): void {
    this.rows.push({ line, expected, got, isDifferent })
  }
}

/** Seconds, as scripts write them. */
export function seconds(microseconds: number): string {
  return (microseconds / 1_000_000).toFixed(6)
}

export interface TraceTextOptions {
  /** Rows before the first difference that are shown; all unless said otherwise. */
  rows?: number
  width?: number
}

const LEAST_WIDTH = 24

/** The two columns as text, with what differs underlined. */
export function traceText(
  rows: readonly TraceRow[],
  differences: readonly Difference[],
  options: TraceTextOptions = {},
): string {
  const most = options.rows ?? rows.length
  const shown = rows.slice(Math.max(0, rows.length - most))
  const width = Math.max(LEAST_WIDTH, ...shown.map(({ expected }) => Math.min(expected.length, options.width ?? 70)))
  const lines = [`  line  ${'expected'.padEnd(width)} | got`]
  if (shown.length < rows.length)
    lines.push(`   ...  ${`${rows.length - shown.length} rows before these`.padEnd(width)} |`)
  for (const row of shown) lines.push(...rowText(row, differences, width))
  return lines.join('\n')
}

function rowText(row: TraceRow, differences: readonly Difference[], width: number): string[] {
  const { line, expected, got, isDifferent } = row
  const number = line === 0 ? '' : String(line)
  const lines = [`${isDifferent ? '>' : ' '} ${number.padStart(4)}  ${clip(expected, width).padEnd(width)} | ${got}`]
  if (!isDifferent) return lines
  const left = marks(
    clip(expected, width),
    differences.map((one) => one.expected),
  )
  const right = marks(
    got,
    differences.map((one) => one.got),
  )
  if (left.trim() !== '' || right.trim() !== '') lines.push(`        ${left.padEnd(width)} | ${right}`.trimEnd())
  return lines
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}

/** A line of `^` below each of the words. */
function marks(text: string, words: readonly string[]): string {
  const line = new Array<string>(text.length).fill(' ')
  for (const word of words) {
    const at = word === '' ? -1 : text.search(new RegExp(`(?<![\\w:.])${escaped(word)}(?![\\w:])`))
    if (at >= 0) line.fill('^', at, at + word.length)
  }
  return line.join('').trimEnd()
}

function escaped(word: string): string {
  return word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
