// A TUN device as a link: what it says of itself, waking, and the driver's say in what keeps a process alive.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { PacketBatch } from '../../src/core/batch.ts'
import { type TunLink, tun } from '../../src/node/tun.ts'
import { answerEchoes } from '../support/device-packets.ts'
import { createNamespace, exec, type Namespace, until } from '../support/namespace.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { echoes, unanswered } from '../support/ping.ts'

const BUILT = new URL('../../dist/node/tun.js', import.meta.url)

describeOnKernel('a TUN link', () => {
  let namespace: Namespace
  let link: TunLink | null

  beforeEach(() => {
    namespace = createNamespace()
    link = null
  })

  afterEach(async () => {
    link?.close()
    await namespace.dispose()
  })

  it('is like its device', () => {
    link = tun({ netns: namespace.name, mtu: 9000 })
    const { medium, mtu, headroom, offload } = link
    expect([medium, mtu, headroom]).toEqual(['ip', 9000, offload.checksum ? 10 : 0])
    expect(offload).toBe(link.device.offload)
  })

  it('keeps what came before it was opened, and answers', async () => {
    const opened = (link = tun({ netns: namespace.name, address: '10.7.0.1/24' }))
    const pings = unanswered(namespace, '-c', '20', '-i', '0.01', '-W', '2', '10.7.0.2')
    await until('some came', async () => (await echoes(namespace)).sent > 2)
    const batch = new PacketBatch({ headroom: opened.headroom })
    opened.open(() => {
      opened.receive(batch)
      answerEchoes(batch)
      opened.transmit(batch)
    })
    expect(await pings).toBe(0)
  })

  it('does not keep a process alive', async () => {
    const script = `import { tun } from '${BUILT.href}'; const link = tun({ netns: '${namespace.name}' }); link.open(() => {})`
    expect((await exec('node', ['--input-type=module', '-e', script], { timeout: 30_000 })).code).toBe(0)
  })

  it('may be closed unopened, and twice', () => {
    link = tun({ netns: namespace.name })
    link.close()
    link.close()
    expect(() => tun({ netns: namespace.name, name: 'tun0' }).close()).not.toThrow()
  })
})
