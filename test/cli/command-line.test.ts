// The command line: help, versions, and what is wrong with it in one sentence and exit code 2, before anything is touched.
import { beforeAll, describe, expect, it } from 'vitest'
import type { Output } from '../support/namespace.ts'
import { tunstack, tunstackEach } from '../support/tunstack.ts'

describe('help', () => {
  it('names the commands and the exit codes on stdout', async () => {
    const { code, stdout, stderr } = await tunstack(['--help'])
    expect(code).toBe(0)
    expect(stderr).toBe('')
    for (const word of ['serve', 'get', 'ping', 'doctor', 'Exit codes', '--version']) expect(stdout).toContain(word)
    expect(stdout).not.toMatch(/^ +start /m)
  })

  it('of each has its options, examples and exit codes', async () => {
    const commands = ['serve', 'get', 'ping', 'netstat', 'capture', 'simulate', 'explain', 'drill', 'doctor', 'start']
    const outcomes = await tunstackEach(commands.map((command) => [command, '--help']))
    for (const [number, { code, stdout, stderr }] of outcomes.entries()) {
      const command = commands[number]
      expect([command, code, stderr]).toEqual([command, 0, ''])
      for (const word of ['Usage', `tunstack ${command}`, '--help', 'Exit codes']) expect(stdout).toContain(word)
      if (command !== 'start') expect(stdout).toMatch(/Examples:\n {2}\$ tunstack/)
    }
  })

  it('says what the defaults are', async () => {
    const { stdout } = await tunstack(['serve', '--help'])
    for (const value of ['tun0', '10.7.0.1/24', '10.7.0.2/24', 'fd00:7::1/64', 'fd00:7::2/64', '1500'])
      expect(stdout).toContain(`(default: ${value})`)
  })

  it('has no colours where it is not read on a terminal', async () => {
    const { stdout } = await tunstack(['doctor'])
    expect(stdout).not.toContain('\u001b')
  })
})

it('takes "help serve" for "serve --help"', async () => {
  const { code, stdout } = await tunstack(['help', 'ping'])
  expect([code, stdout.split('\n')[3]]).toEqual([0, '  $ tunstack ping [address]'])
})

it('knows its version', async () => {
  const { code, stdout } = await tunstack(['--version'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^tunstack\/\d+\.\d+\.\d+ /)
})

const WRONG: [words: string[], said: RegExp][] = [
  [[], /^tunstack: Name a command/],
  [['fetch'], /no command "fetch"/],
  [['serve', '--frobnicate'], /Unknown option `--frobnicate`/],
  [['serve', 'extra'], /Unused args: `extra`/],
  [['serve', '--', 'extra'], /Nothing may stand after "--"/],
  [['serve', '--host'], /value is missing/],
  [['serve', '--host', '10.7.0.1'], /--host is an IPv4 address with its prefix length, like .*"10\.7\.0\.1"/],
  [['serve', '--address', '10.7.0.256/24'], /--address is an IPv4 address .*"10\.7\.0\.256\/24"/],
  [['serve', '--address', 'fd00::1/64'], /--address is an IPv4 address/],
  [['serve', '--address6', '10.7.0.2/24'], /--address6 is an IPv6 address/],
  [['serve', '--address6', 'fd00:7::2/129'], /--address6 is an IPv6 address/],
  [['serve', '--host', '10.7.0.2/24'], /are two ends, and both are 10\.7\.0\.2/],
  [['serve', '--address', '10.9.0.2/24'], /are not in one network/],
  [['serve', '--host', '10.7.0.1/24', '--host=10.7.0.3/24'], /--host may be given once/],
  [['serve', '--mtu', '67'], /--mtu is a whole number from 68 to 65535, and this is "67"/],
  [['serve', '--mtu', '1e3'], /--mtu is a whole number/],
  [['serve', '--mtu', '576', '--host6', 'fd00:7::1/64'], /IPv6 needs an MTU of 1280/],
  [['serve', '--offload', 'perhaps'], /--offload is on or software or off, and this is "perhaps"/],
  [['serve', '--tun', 'a name with spaces'], /--tun is a name of 1 to 15 characters/],
  [['serve', '--tun2', 'tun5'], /--tun2 is of use with --forward only/],
  [['serve', '--forward', '--tun2', 'tun0'], /--tun and --tun2 are two devices/],
  [['serve', '--private', '--netns', 'blue'], /exclude each other/],
  [['serve', '--snaplen', '64'], /--snaplen is of use with --capture only/],
  [['serve', '--metrics-allow', 'x'], /--metrics-allow is a list of networks: 'x' is neither/],
  [['capture', 'file', '--snaplen', '0'], /--snaplen is a whole number from 1/],
  [['serve', '--impair', 'delay'], /--impair is a list like delay=10,loss=0\.01 of .* and this has "delay"/],
  [['serve', '--impair', 'delay=10,rain=1'], /and this has "rain=1"/],
  [['serve', '--impair', 'delay=10,delay=20'], /--impair may say delay once/],
  [['serve', '--impair-in', 'loss=much'], /--impair-in: loss is a number, and this is "much"/],
  [['serve', '--impair', 'loss=-1'], /loss must be a fraction from 0 to 1, not -1/],
  [['serve', '--impair', 'loss=2'], /loss must be a fraction from 0 to 1, not 2/],
  [['serve', '--impair-out', 'rate=0'], /rate must be more than 0 Mbit\/s/],
  [['serve', '--impair-seed', '7'], /--impair-seed is of use with --impair/],
  [['serve', '--requests-per-second', '0'], /--requests-per-second is a whole number from 1/],
  [['get'], /missing required args/],
  [['get', 'https://10.7.0.2/'], /"https:\/\/10\.7\.0\.2\/" is no address of http/],
  [['get', 'http://'], /"http:\/\/" is no address of http/],
  [['get', '--memory', 'http://example.org/'], /give the address of "example\.org" with --connect-to/],
  [['get', '--memory', '-H', 'nonsense', '10.7.0.2'], /A header field is 'Name: value', and this is "nonsense"/],
  [['get', '--memory', '-H', 'a b: c', '10.7.0.2'], /'a b' is no name of a header field/],
  [['get', '--memory', '-X', 'G T', '10.7.0.2'], /'G T' is no name of a method/],
  [['get', '--root', '.', '10.7.0.2'], /--root is of use with --memory only/],
  [['get', '-I', '-d', 'x', '10.7.0.2'], /--head and --data exclude each other/],
  [['get', '-d', '@-', '--repeat', '2', '10.7.0.2'], /stdin can be sent once/],
  [['ping', 'localhost'], /"localhost" is not an IP address/],
  [['ping', '--count', '0'], /--count is a whole number from 1/],
  [['doctor', '--all'], /Unknown option `--all`/],
  [['simulate'], /Name a scenario, or a file with one/],
  [['simulate', 'moon'], /There is no scenario "moon": there are fat-pipe, satellite/],
  [['simulate', 'fat-pipe', '--seed', '1', '--seed', '2'], /--seed may be given once/],
  [['explain'], /missing required args/],
  [['explain', '--stream', 'one', 'x'], /--stream is a whole number from 0/],
  [['start', '--form', 'moon'], /--form is best or tun or private or memory/],
]

describe('a command line that makes no sense', () => {
  let outcomes: Output[]

  beforeAll(async () => {
    outcomes = await tunstackEach(WRONG.map(([words]) => words))
  })

  it.each(WRONG.map(([words, said], number) => [words, said, number] as const))('%j', (_words, said, number) => {
    const { code, stdout, stderr } = outcomes[number]
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(said)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('ends with that code in a process of its own', async () => {
    const [words, said] = WRONG[1]
    const { code, stdout, stderr } = await tunstack(words)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(said)
    expect(stderr).toBe(outcomes[1].stderr)
  })
})
