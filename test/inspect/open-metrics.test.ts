// The counters in OpenMetrics, read by a strict reader, which is itself shown to be strict.
import { expect, test } from 'vitest'
import { netstatCounters } from '../../src/inspect/netstat-counters.ts'
import { openMetrics, stackMetrics } from '../../src/inspect/open-metrics.ts'
import { simulate } from '../../src/simulate/network.ts'
import { readOpenMetrics } from '../support/open-metrics.ts'

test('every counter by its name, sockets by state, drops by reason, and memory', () => {
  const network = simulate({ seed: 3 })
  const [one, other] = [network.host('one', ['10.0.0.1']), network.host('other', ['10.0.0.2'])]
  network.link(one, other, { delay: 5 })
  one.stack.listen({ port: 80 })
  other.stack.connect({ address: '10.0.0.1', port: 80 }).send(new Uint8Array(3000))
  other.stack.connect({ address: '10.0.0.1', port: 81 })
  network.advance(200)
  const families = readOpenMetrics(openMetrics(stackMetrics(one.stack)))
  const value = (name: string, sample = name) => families.get(name)?.samples.get(sample)
  const { Tcp, IpExt } = netstatCounters(one.stack)
  expect(value('tunstack_netstat_Tcp_InSegs', 'tunstack_netstat_Tcp_InSegs_total')).toBe(Tcp.InSegs)
  expect(Tcp.InSegs).toBeGreaterThan(4)
  expect(value('tunstack_netstat_IpExt_InOctets', 'tunstack_netstat_IpExt_InOctets_total')).toBe(IpExt.InOctets)
  expect(value('tunstack_netstat_Tcp_CurrEstab')).toBe(1)
  expect(families.get('tunstack_netstat_Tcp_CurrEstab')?.type).toBe('gauge')
  expect(families.get('tunstack_netstat_Tcp_RetransSegs')).toMatchObject({
    type: 'counter',
    help: 'Tcp.RetransSegs, as in /proc/net/snmp and netstat -s.',
  })
  expect(value('tunstack_drops', 'tunstack_drops_total{reason="tcpNoConnection"}')).toBe(1)
  expect(value('tunstack_tcp_sockets', 'tunstack_tcp_sockets{state="ESTABLISHED"}')).toBe(1)
  expect(value('tunstack_tcp_sockets', 'tunstack_tcp_sockets{state="LISTEN"}')).toBe(1)
  expect(value('tunstack_tcp_buffers_bytes')).toBeGreaterThan(3000)
  expect([...families.values()].every(({ help }) => help?.endsWith('.'))).toBe(true)
})

test('what is written in labels and helps is escaped', () => {
  const samples = [{ labels: { name: 'a "b" \\ c\nd, e="f"' }, value: 1.5 }]
  const text = openMetrics([{ name: 'odd', type: 'gauge', help: 'One\nline \\ "of" it.', samples }])
  const [family] = readOpenMetrics(text).values()
  expect([...family.samples]).toEqual([['odd{name="a \\"b\\" \\\\ c\\nd, e=\\"f\\""}', 1.5]])
  expect(family.help).toBe('One\\nline \\\\ \\"of\\" it.')
})

test.each([
  ['no end', '# TYPE a gauge\na 1\n'],
  ['nothing after the end', '# TYPE a gauge\na 1\n# EOF\n\n'],
  ['a counter without _total', '# TYPE a counter\na 1\n# EOF\n'],
  ['a counter that is called so', '# TYPE a_total counter\na_total 1\n# EOF\n'],
  ['a sample of nobody', 'a 1\n# EOF\n'],
  ['a sample of another family', '# TYPE a gauge\nb 1\n# EOF\n'],
  ['a family in two places', '# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\n# EOF\n'],
  ['a sample twice', '# TYPE a gauge\na{x="1"} 1\na{x="1"} 2\n# EOF\n'],
  ['two spaces', '# TYPE a gauge\na  1\n# EOF\n'],
  ['a comment', '# TYPE a gauge\n# just so\na 1\n# EOF\n'],
  ['no number', '# TYPE a gauge\na one\n# EOF\n'],
  ['a bad escape', '# TYPE a gauge\na{x="\\d"} 1\n# EOF\n'],
  ['a unit that is not in the name', '# TYPE a gauge\n# UNIT a bytes\na 1\n# EOF\n'],
  ['carriage returns', '# TYPE a gauge\r\na 1\r\n# EOF\n'],
  ['a description after the samples', '# TYPE a gauge\na 1\n# HELP a late\n# EOF\n'],
])('the reader takes no text with %s', (_, text) => {
  expect(() => readOpenMetrics(text)).toThrow()
})
