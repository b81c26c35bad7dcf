// What was measured, in rows: as text with columns for terminals, and as Markdown. The same figures give the same octets.
import { goodput, type Measured, percentile } from './measured.ts'
import type { ScenarioResult } from './run.ts'
import { sharesOf } from './shares.ts'

/** The first row is the head. Columns from the second on stand to the right, unless they are words. */
type Table = readonly (readonly string[])[]

/** Flows of the same name, as one row. */
export interface FlowRow {
  readonly name: string
  readonly count: number
  readonly controller: string
  /** Mbit/s, of all of them together from the first start to the last end. */
  readonly goodput: number
  readonly segments: number
  readonly retransmitted: number
  /** Milliseconds: half, 95% and 99% of what TCP measured lie below. NaN where nothing was measured. */
  readonly rtt: readonly [number, number, number]
  /** When the last octet had arrived, in milliseconds; null where the run ended before. */
  readonly done: number | null
  readonly trouble: string | null
}

export function flowRows({ scenario, flows }: ScenarioResult): FlowRow[] {
  return byName(flows).map((group) => {
    const [first] = group
    const start = Math.min(...group.map((flow) => flow.start))
    const done = Math.max(...group.map((flow) => flow.done))
    const sum = (figure: (flow: Measured) => number) => group.reduce((all, flow) => all + figure(flow), 0)
    const delivered = sum((flow) => flow.delivered)
    const rtts = group.flatMap(({ samples }) => samples.rtt.filter((rtt) => !Number.isNaN(rtt)))
    rtts.sort((one, other) => one - other)
    return {
      name: first.name,
      count: group.length,
      controller: first.controller,
      goodput: goodput({ ...first, delivered, start, done }, scenario.length),
      segments: sum((flow) => flow.segments),
      retransmitted: sum((flow) => flow.retransmitted),
      rtt: [percentile(rtts, 0.5), percentile(rtts, 0.95), percentile(rtts, 0.99)],
      done: done === Number.POSITIVE_INFINITY ? null : done,
      trouble: group.find(({ trouble }) => trouble !== null)?.trouble ?? null,
    }
  })
}

export function byName(flows: readonly Measured[]): Measured[][] {
  const groups = new Map<string, Measured[]>()
  for (const flow of flows) groups.set(flow.name, [...(groups.get(flow.name) ?? []), flow])
  return [...groups.values()]
}

/** What the tables say, for programs: not rounded. */
export function describeScenario(result: ScenarioResult) {
  const { scenario, seed, flows, overflow, lost } = result
  const responses = flows.flatMap((flow) =>
    flow.responses.map(({ name, size, asked, first, last, stall, received }) => {
      const times = { first: finite(first - asked), last: finite(last - asked), stall }
      return { page: flow.name, name, size, received, ...times }
    }),
  )
  const rows = flowRows(result).map((row) => ({ ...row, rtt: row.rtt.map(finite) }))
  return {
    ...{ title: scenario.title, seed, length: scenario.length, flows: rows, responses },
    ...{ fairness: sharesOf(result), overflow, lost },
  }
}

/** JSON has no other numbers. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

const FLOW_HEAD = ['flow', 'controller', 'Mbit/s', 'segments', 'sent again', 'RTT 50%', '95%', '99%', 'done at']
const RESPONSE_HEAD = ['page', 'resource', 'octets', 'first octet', 'last octet', 'longest stall']

function tables(result: ScenarioResult): Table[] {
  const flows = flowRows(result).map((row) => [
    row.count === 1 ? row.name : `${row.count} × ${row.name}`,
    row.controller,
    fixed(row.goodput, 2),
    String(row.segments),
    `${row.retransmitted} (${fixed((100 * row.retransmitted) / row.segments, 2)}%)`,
    ...row.rtt.map((rtt) => milliseconds(rtt)),
    row.trouble ?? (row.done === null ? '' : `${fixed(row.done / 1000, 3)} s`),
  ])
  const responses = result.flows.flatMap((flow) =>
    flow.responses.map(({ name, size, asked, first, last, stall }) => [
      flow.name,
      name,
      String(size),
      milliseconds(first - asked),
      milliseconds(last - asked),
      milliseconds(stall),
    ]),
  )
  const all: Table[] = [[FLOW_HEAD, ...flows]]
  return responses.length === 0 ? all : [...all, [RESPONSE_HEAD, ...responses]]
}

/** What stands below the tables, a sentence each. */
export function remarks(result: ScenarioResult): string[] {
  const { overflow, lost } = result
  const shares = sharesOf(result)
  const remarks = [`Packets dropped at the ends of queues: ${overflow}; lost on the way: ${lost}.`]
  if (shares !== null) {
    const { flows, link, from, to, index } = shares
    const span = `from ${fixed(from / 1000, 3)} s to ${fixed(to / 1000, 3)} s`
    remarks.push(`Fairness (Jain's index) of the ${flows} at "${link}" ${span}: ${fixed(index, 3)}; 1 is equal shares.`)
  }
  return remarks
}

export function tableText(result: ScenarioResult): string {
  const parts = tables(result).map((table) => {
    const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)))
    const line = (row: readonly string[]) =>
      row
        .map((cell, column) => (isWords(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
        .join('  ')
        .trimEnd()
    return table.map(line).join('\n')
  })
  return [...parts, remarks(result).join('\n')].join('\n\n')
}

export function tableMarkdown(result: ScenarioResult): string {
  const parts = tables(result).map(([head, ...rows]) => {
    const rule = head.map((_, column) => (isWords(column) ? '---' : '---:'))
    return [head, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
  })
  return [...parts, remarks(result).join('\n')].join('\n\n')
}

function isWords(column: number): boolean {
  return column < 2
}

function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-'
}

function milliseconds(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(1)} ms` : '-'
}
