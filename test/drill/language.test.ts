// The language as it is read: what can't be read is named with its line, what does not exist here makes a script unsupported and never
// passed, and assertions are reckoned as Python would.
import { describe, expect, it } from 'vitest'
import { drill } from '../../src/drill/drill.ts'
import { assertAll } from '../../src/drill/expression.ts'
import { parse } from '../../src/drill/parser.ts'
import { ScriptError, Unsupported } from '../../src/drill/script.ts'
import { likeOf } from '../../src/drill/setup.ts'
import { settingsOf } from '../../src/drill/sysctls.ts'
import { traceText } from '../../src/drill/trace.ts'

const SOCKET = '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n'

describe('a script', () => {
  it('is its events, with their lines and times', () => {
    const { events, flags } = parse(
      '--ip_version=ipv6\n// x\n0.5 close(3) = 0\n+.1~+.2 > . 1:1(0) ack 1\n* > udp(5)\n+0...0.25 read(3, ..., 9) = -1 EAGAIN (a)\n',
    )
    expect(flags.get('ip_version')).toBe('ipv6')
    expect(events.map(({ kind, line }) => [kind, line])).toEqual([
      ['call', 3],
      ['packet', 4],
      ['packet', 5],
      ['call', 6],
    ])
    expect(events.map(({ when }) => when)).toEqual([
      { kind: 'absolute', from: 500_000, to: null },
      { kind: 'relative', from: 100_000, to: 200_000 },
      { kind: 'any', from: 0, to: null },
      { kind: 'relative', from: 0, to: null },
    ])
    expect(events[3]).toMatchObject({ until: 250_000, call: { name: 'read', error: 'EAGAIN' } })
    expect(events[1].text).toBe('+.1~+.2 > . 1:1(0) ack 1')
  })

  it('may say one thing over several lines, and has comments of three kinds', () => {
    const { events } = parse(
      '0 setsockopt(3, SOL_SOCKET, /* who\nknows */ SO_LINGER,\n {onoff=1,\n  linger=5}, 8) = 0 // so\n# not this\n+0 `a\nb`\n',
    )
    expect(events.map(({ kind, line }) => [kind, line])).toEqual([
      ['call', 1],
      ['command', 6],
    ])
  })

  it.each([
    [`${SOCKET}+0 < Q 1:1(0)`, 2, /segment's flags/],
    [`${SOCKET}\n+0 < . 1:5(0)`, 3, /range and its length/],
    [`${SOCKET}+0 < . 1:1(0) ack 1 <mss>`, 2, /a number/],
    [`${SOCKET}+0 < . 1:1(0) ack 1 <mss 5,huh>`, 2, /option "huh"/],
    [`${SOCKET}+0 < [ttl] . 1:1(0)`, 2, /a number/],
    [`${SOCKET}+0 close(3)`, 2, /a "="/],
    [`${SOCKET}close(3) = 0`, 2, /the time of an event/],
    [`${SOCKET}+0 close(3 = 0`, 2, /a "\)"/],
  ])('that makes no sense is told of: %j', (text, line, words) => {
    const { outcome, reason, line: told } = drill(text)
    expect([outcome, told]).toEqual(['unsupported', line])
    expect(reason).toMatch(words)
    expect(() => parse(text)).toThrow(ScriptError)
  })
})

describe('what does not exist here makes a script unsupported', () => {
  it.each([
    ['`sysctl -q net.ipv4.tcp_nobody_knows=1`\n', /sysctl net\.ipv4\.tcp_nobody_knows is not known/],
    ['`sysctl -q net.ipv4.tcp_frto=0`\n', /no setting/],
    ['`rm -rf /`\n', /command "rm -rf \/" is not known/],
    ['`../common/defaults.sh; iptables -F`\n', /command "iptables -F"/],
    [`${SOCKET}+0 \`sysctl -q net.ipv4.tcp_sack=0\`\n`, /can't change while it runs/],
    ['--fastopen=1\n', /--fastopen is not known/],
    ['--init_scripts=mine.sh\n', /--init_scripts is not known/],
    ['--ip_version=ipv5\n', /ipv5/],
    ['// tunstack: nonsense=1\n', /no setting "nonsense"/],
    ['// tunstack: constructor=1\n', /no setting "constructor"/],
    ['// tunstack: initialWindow=many\n', /can't be "many"/],
    ['0 epoll_create(1) = 4\n', /system call epoll_create/],
    ['0 toString() = 0\n', /system call toString/],
    ['0 socket(..., SOCK_RAW, 0) = 3\n', /SOCK_RAW/],
    [`${SOCKET}+0 setsockopt(3, SOL_TCP, TCP_FASTOPEN, [1], 4) = 0\n`, /TCP_FASTOPEN is not known/],
    [`${SOCKET}+0 getsockopt(3, SOL_TCP, valueOf, [1], 4) = 0\n`, /valueOf is not known/],
    [`${SOCKET}+0 ioctl(3, SIOCGIFNAME, [1]) = 0\n`, /SIOCGIFNAME/],
    [`${SOCKET}+0 %{ assert tcpi_fastopen == 1 }%\n`, /"tcpi_fastopen" is not known/],
    ['0 < icmp nothing\n', /no type "nothing"/],
  ])('%j', (text, words) => {
    const { outcome, reason } = drill(text)
    expect(outcome).toBe('unsupported')
    expect(reason).toMatch(words)
  })
})

describe('commands', () => {
  it('become settings, and are never run', () => {
    const { tcp, linkTakes } = settingsOf(
      "../../common/defaults.sh\nsysctl -q net.ipv4.tcp_ecn=1 net.ipv4.tcp_rmem='4096 131072 6291456' # so",
      true,
    )
    expect(tcp).toEqual({ ecn: 'ask', receiveBufferInitial: 65_536, receiveBufferMost: 3_145_728 })
    expect(linkTakes).toBeNull()
    expect(settingsOf('./set_sysctls.py /proc/sys/net/ipv4/tcp_syn_retries=3', true).tcp).toEqual({ synRetries: 3 })
    expect(settingsOf('tc qdisc add dev tun0 root pfifo limit 0', false).linkTakes).toBe(false)
  })
})

describe('the profile', () => {
  it.each([
    ['', '', 'linux'],
    ['// a test of FreeBSD 14\n', '', 'freebsd'],
    ['// Linux\n', 'suite/freebsd-plain/x.pkt', 'freebsd'],
    ['', 'nplab/bsd/udp/x.pkt', 'freebsd'],
    ['', 'nplab/linux/bsd.pkt', 'linux'],
    ['// x\n\n0 close(3) = 0 // FreeBSD\n', '', 'linux'],
    ['// tunstack: like=linux\n', 'freebsd/x.pkt', 'linux'],
  ])('of %j in %j is %s', (text, path, like) => {
    expect(likeOf(parse(text), path)).toBe(like)
  })
})

describe('assertions', () => {
  const known = new Map([
    ['tcpi_a', 10],
    ['tcpi_b', 3],
    ['TCP_X', 10],
  ])
  const lookup = (name: string) => known.get(name)
  const isTrue = (expression: string) => assertAll(`assert ${expression}`, lookup)[0].isTrue

  it.each([
    'tcpi_a == 10',
    'tcpi_a == TCP_X and tcpi_b != 4',
    'not tcpi_a < 10',
    '1 < tcpi_b <= 3 < tcpi_a',
    'tcpi_a - tcpi_b * 2 == 4',
    '(tcpi_a - tcpi_b) * 2 == 0xe',
    'tcpi_a / 4 == 2.5 and tcpi_a // 4 == 2 and -7 % 3 == 2',
    'tcpi_a & 2 | 4 == 6 ^ 0 or True',
    '1 << 3 == 8 and ~0 == -1',
    'abs(tcpi_b - tcpi_a) == 7 and min(1, 2, 3) == 1 and max(tcpi_a, 11) == 11',
    '"a" != \'b\'',
    'tcpi_b == 3 or nobody',
  ])('hold: %s', (expression) => {
    // Python asks for a name only where it must; here an unknown one is always told of.
    if (expression.endsWith('nobody')) expect(() => isTrue(expression)).toThrow(Unsupported)
    else expect(isTrue(expression)).toBe(true)
  })

  it.each(['tcpi_a == 11', 'tcpi_a < tcpi_b', 'not 1', '1 < tcpi_a < 5', '0 and tcpi_a'])(
    'do not: %s',
    (expression) => {
      expect(isTrue(expression)).toBe(false)
    },
  )

  it('are lines, or parted by semicolons, with names of their own', () => {
    const code =
      'twice = tcpi_a * 2; assert twice == 20, twice # so\nassert (1 +\n 1) == 2\nassert tcpi_a == \\\n 9, tcpi_b'
    expect(assertAll(code, lookup).map(({ isTrue, told }) => [isTrue, told])).toEqual([
      [true, '20'],
      [true, null],
      [false, '3'],
    ])
  })

  it.each([
    'import os',
    'assert __import__("os")',
    'assert constructor',
    'assert abs.constructor',
    'assert 1 +',
    'while 1: pass',
  ])('are nothing else: %s', (code) => {
    expect(() => assertAll(code, lookup)).toThrow(Unsupported)
  })
})

describe('a failure', () => {
  it('shows both columns, and marks what differs', () => {
    const text = `${SOCKET}+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n+0 < S 7:7(0) win 1000 <mss 900>\n+0 > S. 0:0(0) ack 9 <mss 1460>\n`
    const { outcome, line, reason, trace, differences } = drill(text)
    expect([outcome, line, reason]).toEqual(['fail', 5, 'ack: expected 9, got 8'])
    const lines = traceText(trace, differences).split('\n')
    const row = lines.findIndex((one) => one.startsWith('>'))
    expect(lines[row]).toMatch(
      /^> {4}5 {2}\+0 > S\. 0:0\(0\) ack 9 <mss 1460> +\| 0\.000000 > S\. 0:0\(0\) ack 8 win 65535 <mss 1460>$/,
    )
    for (const [at, mark] of [...lines[row + 1]].entries()) if (mark === '^') expect(lines[row][at]).toMatch(/[98]/)
    expect(lines[row + 1].match(/\^/g)).toHaveLength(2)
  })

  it('is the same every time, octet for octet', () => {
    const text = `${SOCKET}+0 connect(3, ..., ...) = 0\n`
    const capture = () => {
      const blocks: number[] = []
      drill(text, { sink: (block) => blocks.push(...block) })
      return blocks
    }
    expect(capture()).toEqual(capture())
    expect(capture().length).toBeGreaterThan(100)
  })
})
