// `tunstack netstat` and `tunstack capture` beside a `tunstack serve` with clients of the kernel.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createNamespace, exec, type Namespace, until } from '../support/namespace.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { readOpenMetrics } from '../support/open-metrics.ts'
import { hasCommand, MAIN, type Running, serve, tunstack } from '../support/tunstack.ts'

const FIELDS = '-T fields -E aggregator="|" -E separator=";" -e _ws.malformed -e frame.interface_name -e frame.comment'

describeOnKernel('tunstack netstat', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tunstack-netstat-'))
  let namespace: Namespace
  let running: Running
  let pid: string

  const netstat = async (...args: string[]) => (await tunstack(['netstat', '--pid', pid, ...args])).stdout

  beforeAll(async () => {
    namespace = createNamespace()
    running = await serve(namespace, '--services')
    pid = String(running.child.pid)
    const held = 'exec 3<>/dev/tcp/10.7.0.2/7; echo x >&3; read <&3; sleep 300'
    namespace.start('bash', ['-c', held])
    await until('somebody is connected', async () => (await netstat('-tn')).includes('10.7.0.2:7'))
  })

  afterAll(async () => {
    await namespace.dispose()
    rmSync(folder, { recursive: true })
  })

  it('shows connections, with their owner', async () => {
    const [headings, row] = (await netstat('-n')).split('\n')
    expect(headings).toMatch(/^Proto Recv-Q Send-Q Local Address +Foreign Address +State +PID\/Owner$/)
    expect(row).toMatch(new RegExp(`^tcp +0 +0 10\\.7\\.0\\.2:7 +10\\.7\\.0\\.1:\\d+ +ESTABLISHED +${pid}/echo$`))
  })

  it('shows listeners of both protocols', async () => {
    const listening = await netstat('-ln')
    expect(listening).toMatch(/^tcp6 +0 +511 \[::\]:80 +\[::\]:\* +LISTEN +\d+\/http$/m)
    expect(listening).toMatch(/^udp6 +0 +0 \[::\]:19 +\[::\]:\* +\d+\/chargen$/m)
    expect(await netstat('-lnu')).not.toContain('tcp')
  })

  it('has a line of figures, timers, a summary, and JSON', async () => {
    expect(await netstat('-tni')).toMatch(/\n\t ts sack cubic wscale:\d+,\d+ rto:[\d.]+ rtt:[\d.]+\/[\d.]+ mss:1448 /)
    expect(await netstat('-tno')).toMatch(/keepalive \([\d.]+\/0\/0\)/)
    const summary = await netstat('-s')
    expect(summary).toMatch(/TCP \(LISTEN 6, ESTABLISHED 1\), 4 of UDP\n/)
    expect(summary).toContain('\nTcp:\n    PassiveOpens: 1\n')
    const { sockets } = JSON.parse(await netstat('--json', '-t'))
    expect(sockets).toMatchObject([{ state: 'ESTABLISHED', localPort: 7, owner: 'echo', info: null }])
  })

  it.skipIf(!hasCommand('tshark'))('is captured while it runs, to a file and to a pipe', async () => {
    const file = join(folder, 'running.pcapng')
    const words = ['capture', '--pid', pid, '--count', '20', '--interface', 'tun0']
    const toFile = tunstack([...words, file])
    const toPipe = exec('sh', ['-c', `${process.execPath} ${MAIN} ${words.join(' ')} - | tshark -n -r - ${FIELDS}`])
    await until('it is watched', async () => {
      await namespace.exec('curl', ['-s', '-o', '/dev/null', 'http://10.7.0.2/'])
      return Promise.race([
        Promise.all([toFile, toPipe]).then(() => true),
        new Promise<false>((no) => setTimeout(no, 50, false)),
      ])
    })
    expect((await toFile).stderr).toBe('20 packets captured.\n')
    const fromFile = await exec('sh', ['-c', `tshark -n -r ${file} ${FIELDS}`])
    for (const { stdout } of [fromFile, await toPipe]) {
      const rows = stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(';'))
      expect(rows).toHaveLength(20)
      expect(rows.every(([malformed, name]) => malformed === '' && name === 'tun0')).toBe(true)
      expect(rows.map(([, , comment]) => comment).join('\n')).toContain('new data|cwnd ')
    }
    const { code, stderr } = await tunstack(['capture', '--pid', pid, '--interface', 'eth0', file])
    expect([code, stderr]).toEqual([
      1,
      "tunstack: It can't be captured (there is no interface eth0 here: there are lo and tun0).\n",
    ])
  })

  it('has the counters for Prometheus', async () => {
    const { stdout } = await namespace.exec('curl', ['-si', 'http://10.7.0.2/metrics'])
    const [head, body] = stdout.split('\r\n\r\n')
    expect(head).toMatch(/^HTTP\/1.1 200 /)
    expect(head).toContain('Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8')
    const families = readOpenMetrics(body)
    expect(families.get('tunstack_tcp_sockets')?.samples.get('tunstack_tcp_sockets{state="LISTEN"}')).toBe(6)
    expect(families.get('tunstack_http_connections')?.samples.get('tunstack_http_connections')).toBe(1)
  })

  it('goes by ss too, and says in one sentence that nobody is there', async () => {
    expect((await tunstack(['ss', '--pid', pid, '-tn'])).stdout).toContain('ESTABLISHED')
    await running.stop()
    const { code, stderr } = await tunstack(['netstat', '--pid', pid])
    expect(code).toBe(3)
    expect(stderr).toMatch(/^tunstack: Process \d+ is no "tunstack serve" of yours: [^\n]*\n$/)
  })
})
