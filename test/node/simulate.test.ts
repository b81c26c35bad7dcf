// Virtual time in Node: it stands while the program, or a thread that works for it, has something to do.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { simulate } from '../../src/node/simulate.ts'

const self = fileURLToPath(import.meta.url)

describe('simulate', () => {
  test('two hosts over a lossy link, in ten lines', async () => {
    const network = simulate({ seed: 7 })
    const [home, away] = [network.host('home'), network.host('away')]
    const link = network.link(home, away, { delay: 20, loss: 0.2 })
    const replies = await network.run(async () => {
      const results: string[] = []
      for (let count = 0; count < 50; count++) results.push((await home.ping(away)).result)
      return results
    })
    const lost = replies.filter((result) => result === 'timeout').length
    expect(lost).toBeGreaterThan(8)
    expect(lost).toBeLessThan(30)
    link.heal()
    network.close()
  })

  test('time stands while gzip and the file system work', async () => {
    const network = simulate()
    const passed: number[] = []
    network.after(90_000, () => passed.push(network.now()))
    const waited = await network.run(async () => {
      const before = network.now()
      await promisify(gzip)(new Uint8Array(4_000_000))
      await readFile(self)
      const between = network.now()
      await new Promise<void>((resolve) => void network.after(1000, resolve))
      return [between - before, network.now() - before]
    })
    expect(waited).toEqual([0, 1000])
    expect(passed).toEqual([])
  })
})
