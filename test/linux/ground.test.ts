// The built command on a real TUN device: ping in both families, services, capture, forwarding; and how it ends, when told
// to and when something is missing.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import { createNamespace, exec, type Namespace } from '../support/namespace.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { unanswered } from '../support/ping.ts'
import { hasCommand, MAIN, NOBODY, nobodyMayRun, Running, serve } from '../support/tunstack.ts'

const folder = mkdtempSync(join(tmpdir(), 'tunstack-ground-'))
const namespaces: Namespace[] = []
let namespace: Namespace

function another(): Namespace {
  const made = createNamespace()
  namespaces.push(made)
  return made
}

beforeEach(() => {
  namespace = another()
})

afterEach(async () => {
  await Promise.all(namespaces.splice(0).map((made) => made.dispose()))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const tunstack = (...words: string[]) => namespace.exec(process.execPath, [MAIN, ...words])

async function hasDevice(name: string, where = namespace): Promise<boolean> {
  return (await where.exec('ip', ['link', 'show', name])).code === 0
}

describeOnKernel('tunstack serve', () => {
  it('answers ping in both families, of every size, without loss', async () => {
    await serve(namespace)
    for (const address of ['10.7.0.2', 'fd00:7::2']) {
      expect(await unanswered(namespace, '-c', '200', '-i', '0.002', address)).toBe(0)
      expect(await unanswered(namespace, '-c', '5', '-i', '0.01', '-s', '1472', address)).toBe(0)
      expect(await unanswered(namespace, '-c', '5', '-i', '0.01', '-s', '60000', address)).toBe(0)
    }
    expect(await unanswered(namespace, '-f', '-c', '5000', '10.7.0.2')).toBe(0)
  })

  it('has answered its first ping when it says that it is up', async () => {
    await serve(namespace, '--services')
    const { code } = await namespace.exec('ping', ['-c', '1', '-W', '1', '10.7.0.2'])
    expect(code).toBe(0)
  })

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('takes the device down at %s and ends with 0', async (signal) => {
    const running = await serve(namespace)
    expect(await hasDevice('tun0')).toBe(true)
    expect(await running.stop(signal)).toBe(0)
    expect(running.stderr).toMatch(/tun0 taken down: \d+ packets received, \d+ sent, \d+ dropped\.\n$/)
    expect(await hasDevice('tun0')).toBe(false)
  })

  it('leaves nothing when it is killed', async () => {
    const running = await serve(namespace)
    await running.stop('SIGKILL')
    expect(await hasDevice('tun0')).toBe(false)
  })

  it('prints what it brought up as JSON', async () => {
    const running = await serve(namespace, '--json', '--tun', 'wide0', '--mtu', '9000', '--offload', 'off')
    const { pid, interfaces } = JSON.parse(running.stdout)
    expect(pid).toBe(running.child.pid)
    expect(interfaces).toEqual([
      {
        name: 'wide0',
        netns: namespace.name,
        mtu: 9000,
        queueLength: 10_000,
        offload: { checksum: false, tcp4: false, tcp6: false, udp: false },
        ipv4: { host: '10.7.0.1/24', address: '10.7.0.2/24' },
        ipv6: { host: 'fd00:7::1/64', address: 'fd00:7::2/64' },
      },
    ])
    expect(await unanswered(namespace, '-c', '3', '-i', '0.01', '-M', 'do', '-s', '8972', '10.7.0.2')).toBe(0)
  })

  it('takes what is for any address with --any', async () => {
    await serve(namespace, '--any')
    await namespace.exec('ip', ['route', 'add', '198.51.100.0/24', 'via', '10.7.0.2'])
    expect(await unanswered(namespace, '-c', '3', '-i', '0.01', '198.51.100.77')).toBe(0)
  })

  it('runs its TCP services for the kernel’s sockets, in both families', async () => {
    await serve(namespace, '--services')
    const talk = `const [port, address] = process.argv.slice(1)
      require('node:net').connect(Number(port), address).end('hello').pipe(process.stdout)`
    const told = (...words: string[]) => namespace.exec(process.execPath, ['-e', talk, ...words])
    expect((await told('7', '10.7.0.2')).stdout).toBe('hello')
    expect((await told('7', 'fd00:7::2')).stdout).toBe('hello')
    expect((await told('13', '10.7.0.2')).stdout).toMatch(/-UTC\r\n$/)
  })

  it('runs its UDP services for the kernel’s sockets, in both families', async () => {
    await serve(namespace, '--services')
    const ask = `const { createSocket } = require('node:dgram')
      const [family, port, address] = process.argv.slice(1)
      const socket = createSocket(family).on('message', (data) => { console.log(String(data)); socket.close() })
      socket.send('hello', Number(port), address)`
    const asked = (...words: string[]) => namespace.exec(process.execPath, ['-e', ask, ...words])
    expect((await asked('udp4', '7', '10.7.0.2')).stdout).toBe('hello\n')
    expect((await asked('udp6', '7', 'fd00:7::2')).stdout).toBe('hello\n')
    expect((await asked('udp6', '13', 'fd00:7::2')).stdout).toMatch(/^\w+day, \w+ \d+, \d{4} \d\d:\d\d:\d\d-UTC\r\n/)
  })

  it.skipIf(!hasCommand('tshark'))('writes a capture that tshark reads', async () => {
    const file = join(folder, 'serve.pcapng')
    const running = await serve(namespace, '--capture', file)
    await unanswered(namespace, '-c', '5', '-i', '0.01', '-s', '3000', '10.7.0.2')
    await unanswered(namespace, '-c', '5', '-i', '0.01', '-s', '3000', 'fd00:7::2')
    await running.stop()
    const read = async (filter: string) => (await exec('tshark', ['-r', file, '-Y', filter])).stdout.trim().split('\n')
    expect(await read('icmp.type == 0')).toHaveLength(5)
    expect(await read('icmpv6.type == 129')).toHaveLength(5)
    expect(await read('_ws.malformed || _ws.expert.severity >= 6291456')).toEqual([''])
  })

  it('routes between two devices with --forward, itself a hop', async () => {
    const other = another()
    await serve(namespace, '--forward', '--netns2', other.name, '--mtu2', '1400')
    for (const [address, hop] of [
      ['10.8.0.1', '10.7.0.2'],
      ['fd00:8::1', 'fd00:7::2'],
    ]) {
      expect(await unanswered(namespace, '-c', '50', '-i', '0.002', address)).toBe(0)
      const { stdout } = await namespace.exec('ping', ['-c', '1', '-t', '1', address])
      expect(stdout).toMatch(new RegExp(`From ${hop} icmp_seq=1 Time (?:to live )?exceeded`))
    }
    const { stdout } = await namespace.exec('ping', ['-c', '1', '-M', 'do', '-s', '1450', '10.8.0.1'])
    expect(stdout).toMatch(/Frag needed and DF set \(mtu = 1400\)/)
  })

  it.skipIf(!hasCommand('sysctl'))(
    'goes on with IPv4 alone where the kernel has no IPv6, unless IPv6 was asked for',
    async () => {
      await namespace.exec('sysctl', [
        '-q',
        '-w',
        'net.ipv6.conf.all.disable_ipv6=1',
        'net.ipv6.conf.default.disable_ipv6=1',
      ])
      const running = await serve(namespace)
      expect(running.stderr).toContain('The kernel has no IPv6 here, so tun0 has IPv4 alone.')
      expect(await unanswered(namespace, '-c', '3', '-i', '0.01', '10.7.0.2')).toBe(0)
      await running.stop()
      const { code, stderr } = await tunstack('serve', '--host6', 'fd00:7::1/64')
      expect(code).toBe(3)
      expect(stderr).toContain('IPv6 may be switched off')
    },
  )
})

describeOnKernel('tunstack serve, refused', () => {
  /** One sentence on stderr, nothing on stdout, no stack trace. */
  function expectSentence({ stdout, stderr }: { stdout: string; stderr: string }, said: RegExp): void {
    expect(stdout).toBe('')
    expect(stderr).toMatch(said)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).not.toMatch(/^\s+at /m)
  }

  it('says so in one sentence when the device is busy', async () => {
    await serve(namespace)
    const refused = await tunstack('serve')
    expect(refused.code).toBe(4)
    expectSentence(refused, /tun0 is in use by another process/)
  })

  it('takes neither device when the second is busy', async () => {
    await serve(namespace, '--tun', 'tun1', '--host', '10.9.0.1/24', '--address', '10.9.0.2/24')
    const refused = await tunstack('serve', '--forward')
    expect(refused.code).toBe(4)
    expectSentence(refused, /tun1 is in use by another process/)
    expect(await hasDevice('tun0')).toBe(false)
  })

  it('says so when the namespace or the capture’s folder is not there', async () => {
    const refused = await tunstack('serve', '--netns', 'tunstack-nowhere')
    expect(refused.code).toBe(3)
    expectSentence(refused, /There is no network namespace tunstack-nowhere/)
    const unwritable = await tunstack('serve', '--capture', join(folder, 'nowhere', 'file.pcapng'))
    expect(unwritable.code).toBe(1)
    expectSentence(unwritable, /The capture file can't be written/)
  })

  it('says so when the name belongs to something else', async () => {
    const refused = await tunstack('serve', '--tun', 'lo')
    expect(refused.code).not.toBe(0)
    expectSentence(refused, /lo exists and is not a TUN device/)
  })

  it('says so when the device is deleted while it serves', async () => {
    const running = await serve(namespace)
    await namespace.exec('ip', ['link', 'delete', 'tun0'])
    expect(await running.ended).toBe(3)
    expect(running.stderr).toMatch(/\ntunstack: tun0: the device was deleted\.\n$/)
  })

  it.skipIf(!nobodyMayRun())('says so when the privilege is missing', async () => {
    const [command, ...words] = NOBODY
    const refused = await namespace.exec(command, [...words, process.execPath, MAIN, 'serve'])
    expect(refused.code).toBe(3)
    expectSentence(refused, /run as root/)
  })
})

describeOnKernel('tunstack ping', () => {
  it('is answered by the kernel, in both families', async () => {
    for (const address of ['10.7.0.1', 'fd00:7::1']) {
      const { code, stdout } = await tunstack('ping', address, '--count', '3', '--interval', '10', '--json')
      expect(code).toBe(0)
      const { answered, replies } = JSON.parse(stdout)
      expect(answered).toBe(3)
      for (const reply of replies) expect(reply).toMatchObject({ result: 'reply', from: address, isIntact: true })
    }
    const { stdout } = await tunstack('ping', '--count', '2', '--interval', '10', '--size', '3000')
    expect(stdout).toMatch(/^10\.7\.0\.1: 1 answered in [\d.]+ ms, hop limit 64, 3000 octets\n/)
    expect(stdout).toContain('\n2 sent, 2 answered, round trip')
  })

  it('ends with 1 when nobody answers', async () => {
    const { code, stdout } = await tunstack('ping', '10.7.0.77', '--count', '1', '--timeout', '50')
    expect(code).toBe(1)
    expect(stdout).toContain('1 sent, 0 answered')
  })
})

describeOnKernel('npm start', () => {
  it('serves on tun0 as root', async () => {
    const running = new Running(namespace, ['ip', 'netns', 'exec', namespace.name, process.execPath, MAIN, 'start'])
    await running.says('Ctrl-C takes it down')
    expect(await unanswered(namespace, '-c', '3', '-i', '0.01', '10.7.0.2')).toBe(0)
    expect(await running.stop()).toBe(0)
  })

  it('ends when npm does, whose shell passes no signal on', async () => {
    const running = new Running(namespace, ['ip', 'netns', 'exec', namespace.name, 'npm', 'start'])
    await running.says('Ctrl-C takes it down')
    await running.stop()
    expect(running.stderr).toContain('tun0 taken down')
    expect(await hasDevice('tun0')).toBe(false)
  })

  it('serves in a namespace of its own, which the printed command enters, and ends with what started it', async () => {
    const start = () => new Running(namespace, [process.execPath, MAIN, 'start', '--form', 'private'])
    const running = start()
    await running.says('Ctrl-C takes it down')
    const [printed] = /nsenter -t \d+ .*ping 10\.7\.0\.2/.exec(running.stderr) ?? ['']
    const { stdout } = await exec('sh', ['-c', printed.replace('ping', 'ping -c 2 -i 0.1')])
    expect(stdout).toContain(' 0% packet loss')
    expect(await running.stop('SIGINT')).toBe(0)
    expect(running.stderr).toContain('tun0 taken down')
    const killed = start()
    await killed.says('Ctrl-C takes it down')
    // Its output stays open until the one in the namespace has ended too.
    await killed.stop('SIGKILL')
    expect(killed.stderr).toContain('tun0 taken down')
  })

  it.skipIf(!nobodyMayRun())('works for an ordinary user, with and without a right to /dev/net/tun', async () => {
    const nobody = NOBODY.join(' ')
    const start = `${nobody} ${process.execPath} ${MAIN} start`
    const within = (mode: string) =>
      new Running(namespace, [
        ...['ip', 'netns', 'exec', namespace.name, 'unshare', '--mount', 'sh', '-ec'],
        `mount -t tmpfs tmpfs /dev/net; mknod -m ${mode} /dev/net/tun c 10 200; exec ${start}`,
      ])
    const refused = within('600')
    expect(await refused.ended).toBe(0)
    expect(refused.stdout).toContain('10.7.0.2 → 10.7.0.1  ICMP echo reply 1')
    const mayNest = await exec('sh', ['-c', `${nobody} unshare --user --map-root-user --net true`])
    if (mayNest.code !== 0) return
    const allowed = within('666')
    await allowed.says('Ctrl-C takes it down')
    const [printed] = /nsenter -t \d+ .*ping 10\.7\.0\.2/.exec(allowed.stderr) ?? ['']
    const { stdout, stderr } = await exec('sh', ['-c', `${nobody} ${printed.replace('ping', 'ping -c 2 -i 0.2')}`])
    expect(stdout + stderr).toContain(' 0% packet loss')
    expect(await allowed.stop()).toBe(0)
  })
})
