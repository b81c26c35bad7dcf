// Results as lines of a table that is read in a terminal and in Markdown alike.
import type { Cost, Result, Spread } from './rounds.ts'
import { inWords, type Setting } from './setting.ts'

const WIDTHS = [48, 28, 28, 20, 24, 16, 18, 12]
const HEADS = ['', 'ours', "kernel's", 'ratio', 'CPU, ours and kernel’s', 'packets', 'system calls', 'GC > 5 ms']

export function heading(setting: Setting, rounds: number, seconds: number): string {
  const words = `${inWords(setting)}: medians of ${rounds} rounds of ${seconds} s, with the least and the most`
  return `\n${words}\n\n${line(HEADS)}\n${line(WIDTHS.map((width) => '-'.repeat(width)))}`
}

export function row(result: Result): string {
  const { title, unit, ours, kernel, ratio, cost, pauses, complaints } = result
  const both = (show: (cost: Cost) => string) => `${show(cost.ours)} / ${show(cost.kernel)}`
  const cells = [
    `${title} (${unit})`,
    range(ours),
    range(kernel),
    range(ratio),
    both(({ processorSeconds }) => processor(processorSeconds, result.per)),
    both(({ packets }) => short(packets)),
    both(({ systemCalls }) => (systemCalls === null ? '–' : short(systemCalls))),
    `${pauses.ours.long} / ${pauses.kernel.long}`,
  ]
  return line(cells) + complaints.map((complaint) => `\n  ${complaint}`).join('')
}

function line(cells: string[]): string {
  return `| ${cells.map((cell, at) => cell.padEnd(WIDTHS[at])).join(' | ')} |`
}

function range({ median, least, most }: Spread): string {
  return `${short(median)} (${short(least)}–${short(most)})`
}

function processor(seconds: number, per: Result['per']): string {
  return per === 'GB' ? `${short(seconds)} s/GB` : `${short(seconds * 1e6)} µs`
}

/** Three figures that count. */
export function short(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3).replace(/^(\d+)\.0+$/, '$1')
}
