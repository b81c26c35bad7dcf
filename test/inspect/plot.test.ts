// Plots: the figures' places, few points for many figures, and nothing in a text that could become markup.
import { describe, expect, it } from 'vitest'
import { type Plot, plot, ticks } from '../../src/inspect/plot.ts'

const base: Plot = {
  title: 'window',
  x: { label: 'seconds', from: 0, to: 10 },
  y: { label: 'segments', to: 100 },
  lines: [],
  width: 780,
  height: 324,
}

function path(points: readonly (readonly [number, number])[]): string {
  const svg = plot({ ...base, lines: [{ name: 'one', stroke: 'solid', points }] })
  return svg.match(/<path class="solid" d="([^"]*)"\/>\n/)?.[1] ?? 'none'
}

describe('a plot', () => {
  it('puts figures where they belong', () => {
    // The frame is 62 to 762 across, 276 to 76 up.
    expect(
      path([
        [0, 0],
        [5, 50],
        [10, 100],
      ]),
    ).toBe('M62 276 412 176 762 76')
  })

  it('leaves a gap where there is no figure, and what lies outside of the axis out', () => {
    expect(
      path([
        [-1, 5],
        [0, 0],
        [1, 10],
        [2, Number.NaN],
        [3, 0],
        [4, 10],
        [11, 0],
      ]),
    ).toBe('M62 276 132 256M272 276 342 256')
  })

  it('draws a level stretch by its ends, and columns of many figures by four', () => {
    expect(path(Array.from({ length: 1001 }, (_, at) => [at / 100, 50]))).toBe('M62 176 762 176')
    const noise = Array.from({ length: 100_000 }, (_, at): [number, number] => [at / 10_000, (at * 7919) % 100])
    expect(path(noise).split(' ').length).toBeLessThan(2 * 701 * 4 + 2)
    expect(path(noise)).toBe(path(noise))
  })

  it('ends above the highest figure unless said otherwise', () => {
    const lines = [{ name: 'one', stroke: 'solid', points: [[0, 500]] }] as const
    const svg = plot({ ...base, y: { label: 'segments' }, lines })
    expect(svg).toContain('>500</text>')
    expect(svg).not.toContain('>600</text>')
    expect(() => plot({ ...base, x: { label: '', from: 1, to: 1 } })).toThrow(RangeError)
    expect(plot(base)).not.toContain('NaN')
  })

  it('writes words as words', () => {
    const text = '<script>&"'
    const svg = plot({ ...base, title: text, subtitle: text, events: [{ at: 9, text }], y: { label: text, to: 1 } })
    expect(svg).not.toContain('<script>')
    expect(svg.split('&lt;script&gt;&amp;&quot;')).toHaveLength(6)
    expect(svg).toContain('text-anchor="end">&lt;script')
  })

  it('follows the reader into the dark', () => {
    expect(plot(base)).toContain('prefers-color-scheme:dark')
  })

  it.each([
    [0, 10, 6],
    [0, 300, 7],
    [0, 0.3, 7],
    [5, 6, 6],
    [0, 1_000_000, 6],
  ])('has round ticks from %d to %d', (from, to, count) => {
    const all = ticks(from, to)
    expect(all).toHaveLength(count)
    expect(all[0]).toBeGreaterThanOrEqual(from)
    expect(all[all.length - 1]).toBeLessThanOrEqual(to * 1.000001)
  })
})
