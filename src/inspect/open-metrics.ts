// A stack's counters in OpenMetrics' text format, which Prometheus and its like read: by the names of `netstat -s`, as node_exporter has them
// for the kernel's (`node_netstat_Tcp_RetransSegs` there, `tunstack_netstat_Tcp_RetransSegs_total` here), sockets by state, and memory.
import { Drop } from '../core/observer.ts'
import type { PortableStack } from '../runtime/create-stack.ts'
import { type CounterGroup, netstatCounters } from './netstat-counters.ts'
import { countStates } from './overview.ts'

/** What a response says of its body. */
export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

export interface MetricSample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

export interface MetricFamily {
  /** Without the `_total` of counters, which is added. */
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  /** The last part of the name, where it has one. */
  readonly unit?: string
  readonly samples: readonly MetricSample[]
}

/** Those of `netstat -s` that go up and down. */
const GAUGES = new Set(['CurrEstab'])

export function stackMetrics(stack: PortableStack): MetricFamily[] {
  return [...counterFamilies(stack), dropFamily(stack), ...socketFamilies(stack), ...memoryFamilies(stack)]
}

function counterFamilies(stack: PortableStack): MetricFamily[] {
  return Object.entries(netstatCounters(stack)).flatMap(([group, counters]) =>
    Object.entries(counters)
      // They have a family of their own.
      .filter(([name]) => group !== 'Tunstack' || !name.startsWith('Drop'))
      .map(([name, value]): MetricFamily => {
        const type = GAUGES.has(name) ? 'gauge' : 'counter'
        const help = helpOf(group as CounterGroup, name)
        return { name: `tunstack_netstat_${group}_${name}`, type, help, samples: [{ value }] }
      }),
  )
}

function helpOf(group: CounterGroup, name: string): string {
  if (group === 'Tunstack') return `${name}, which is counted by this stack alone.`
  const file = group.endsWith('Ext') ? 'netstat' : 'snmp'
  return `${group}.${name}, as in /proc/net/${file} and netstat -s.`
}

function dropFamily({ core }: PortableStack): MetricFamily {
  const { counters } = core.observer
  const samples = Object.entries(Drop).map(([reason, row]) => ({ labels: { reason }, value: counters.dropped(row) }))
  return { name: 'tunstack_drops', type: 'counter', help: 'Packets that went no further, by the reason.', samples }
}

function socketFamilies(stack: PortableStack): MetricFamily[] {
  const { udp } = stack.core
  const states = Object.entries(countStates(stack)).map(([state, value]) => ({ labels: { state }, value }))
  return [
    {
      name: 'tunstack_tcp_sockets',
      type: 'gauge',
      help: 'Sockets of TCP by state: listeners, half-open requests and TIME-WAIT among them.',
      samples: states,
    },
    { name: 'tunstack_udp_sockets', type: 'gauge', help: 'Sockets of UDP.', samples: [{ value: udp.sockets.size }] },
  ]
}

function memoryFamilies({ core }: PortableStack): MetricFamily[] {
  const { slabs, settings } = core.tcp.shared
  const family = (name: string, help: string, value: number): MetricFamily => {
    return { name, type: 'gauge', unit: 'bytes', help, samples: [{ value }] }
  }
  return [
    family('tunstack_tcp_buffers_bytes', 'Memory that the buffers of TCP hold.', slabs.held),
    family('tunstack_tcp_buffers_limit_bytes', 'Memory beyond which nothing new is taken.', settings.memoryMost),
  ]
}

/** The whole exposition. */
export function openMetrics(families: readonly MetricFamily[]): string {
  return `${families.map(familyText).join('')}# EOF\n`
}

function familyText({ name, type, help, unit, samples }: MetricFamily): string {
  const lines = [`# TYPE ${name} ${type}`]
  if (unit !== undefined) lines.push(`# UNIT ${name} ${unit}`)
  lines.push(`# HELP ${name} ${escaped(help)}`)
  const suffix = type === 'counter' ? '_total' : ''
  for (const { labels, value } of samples) lines.push(`${name}${suffix}${labelText(labels)} ${value}`)
  return `${lines.join('\n')}\n`
}

function labelText(labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
