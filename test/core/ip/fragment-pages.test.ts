// Pages for what waits to become datagrams: each has its own bits and octets, and what is let go is used again.
import { expect, it } from 'vitest'
import { FragmentPages, PAGE } from '../../../src/core/ip/fragment-pages.ts'

it('each page has bits of its own, to its last one', () => {
  const pages = new FragmentPages()
  const taken = Array.from({ length: 70 }, () => pages.take())
  const last = PAGE * 8
  for (const page of taken) pages.clear(page)
  for (const [at, page] of taken.entries()) {
    expect(pages.areBits(page, 0, last, 0)).toBe(true)
    pages.setBits(page, at, last - at)
  }
  for (const [at, page] of taken.entries()) {
    const parts = [pages.areBits(page, 0, at, 0), pages.areBits(page, at, last - at, -1)]
    expect([...parts, pages.areBits(page, last - at, last, 0)]).toEqual([true, true, true])
  }
})

it('takes no new memory where something comes and goes, again and again', () => {
  const pages = new FragmentPages()
  pages.give(pages.take())
  pages.shrink()
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  for (let round = 0; round < 40; round++) {
    pages.give(pages.take())
    pages.shrink()
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  expect(most).toBeLessThan(1 << 19)
})
