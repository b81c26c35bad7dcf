// The namespaces that tests on a real kernel stand on: apart from the machine's own network, and gone with everything in them.
import { expect, it } from 'vitest'
import { createNamespace, exec, until } from '../support/namespace.ts'
import { describeOnKernel } from '../support/on-kernel.ts'

describeOnKernel('a namespace', () => {
  it('has a loopback of its own and nothing else', async () => {
    const namespace = createNamespace()
    try {
      const links = JSON.parse((await namespace.exec('ip', ['-json', 'link'])).stdout) as { ifname: string }[]
      expect(links.map(({ ifname }) => ifname)).toEqual(['lo'])
      expect((await namespace.exec('ping', ['-c', '1', '-W', '1', '127.0.0.1'])).code).toBe(0)
    } finally {
      await namespace.dispose()
    }
  })

  it('takes its processes and itself away', async () => {
    const namespace = createNamespace()
    const started = namespace.start('sleep', ['100'])
    await namespace.exec('sh', ['-c', 'sleep 100 >/dev/null 2>&1 &'])
    const pids = async () => (await exec('ip', ['netns', 'pids', namespace.name])).stdout.trim().split('\n')
    await until('both processes run', async () => (await pids()).length === 2)
    const before = await pids()
    await namespace.dispose()
    expect(started.signalCode).toBe('SIGTERM')
    expect((await exec('ip', ['netns', 'list'])).stdout).not.toContain(namespace.name)
    await until(
      'they have ended',
      async () => (await exec('ps', ['-o', 'pid=', '-p', before.join(',')])).stdout.trim() === '',
    )
  })

  it('gives a command its input and its end', async () => {
    const namespace = createNamespace()
    try {
      expect(await namespace.exec('cat', [], { input: 'abc' })).toEqual({ code: 0, stdout: 'abc', stderr: '' })
      // Though what it has started holds its output open.
      const late = await namespace.exec('sh', ['-c', 'sleep 100; true'], { timeout: 200 })
      expect(late).toEqual({
        code: null,
        stdout: '',
        stderr: expect.stringMatching(/^ip netns exec .* was ended, since it took more than 200 ms\.\n$/s),
      })
    } finally {
      await namespace.dispose()
    }
  })
})
