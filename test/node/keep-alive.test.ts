// What keeps a process alive on behalf of a stack, seen from outside: each script either ends by itself or has to be ended.
import { describe, expect, it } from 'vitest'
import { isHeld, script } from '../support/tunstack.ts'

const TWO_STACKS = `
  import { createStack, memory } from 'tunstack'
  const [one, other] = [await createStack(), await createStack()]
  const [left, right] = memory()
  one.addInterface({ link: left, addresses: ['10.0.0.1/24'] })
  other.addInterface({ link: right, addresses: ['10.0.0.2/24'] })`

/** Null where it had to be ended. */
async function exitCode(text: string): Promise<number | null> {
  const { code, stderr } = await script(text)
  expect(stderr).toBe('')
  return code
}

describe('a process', () => {
  it('ends though a stack with a link stands in it', async () => {
    expect(await exitCode(TWO_STACKS)).toBe(0)
  })

  it('is held by an open endpoint', async () => {
    expect(await isHeld(`${TWO_STACKS}; one.openUdp().bind(7)`)).toBe(true)
  })

  it('is not held by one that is unref’d, nor by one that is closed', async () => {
    expect(
      await exitCode(`${TWO_STACKS}
        const [first, second, third] = [one.openUdp().unref(), one.openUdp(), one.openUdp().unref().ref()]
        first.bind(7)
        second.close()
        second.close()
        third.close()`),
    ).toBe(0)
  })

  it('is not held by endpoints of a stack that was closed', async () => {
    expect(await exitCode(`${TWO_STACKS}; one.openUdp().bind(7); one.close()`)).toBe(0)
  })

  it('is held until a ping is answered, or given up', async () => {
    const { code, stdout } = await script(`${TWO_STACKS}
      console.log((await one.ping('10.0.0.2')).result)
      console.log((await one.ping('10.0.0.9', { timeout: 100 })).result)
      console.log((await one.ping('127.0.0.1')).result)`)
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'reply\ntimeout\nreply\n' })
  })

  it('is held by who asks for it, as long as he does', async () => {
    expect(await exitCode(`${TWO_STACKS}; setTimeout(one.hold(), 100)`)).toBe(0)
    expect(await isHeld(`${TWO_STACKS}; one.hold()`)).toBe(true)
  })

  it('ends though packets that nobody waits for go round for ever', async () => {
    const { code, stdout } = await script(`${TWO_STACKS}
      let count = 0
      const bounce = (stack) => {
        const endpoint = stack.openUdp().unref()
        endpoint.bind(5000)
        endpoint.onReadable = () => {
          for (let datagram = endpoint.receive(); datagram !== null; datagram = endpoint.receive()) {
            count++
            endpoint.reply(datagram, datagram, datagram.offset, datagram.length)
          }
        }
        return endpoint
      }
      bounce(other)
      bounce(one).send(new Uint8Array(5), '10.0.0.2', 5000)
      process.on('exit', () => console.log(count > 100))`)
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'true\n' })
  })
})
