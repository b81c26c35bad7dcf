// Scenarios measure what was asked for, and give the same octets for the same seed; the quick ones give what the documentation shows.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PAGE, PICTURES, section } from '../../bench/scenarios/page.ts'
import { SCENARIOS } from '../../src/scenario/library.ts'
import { pictures } from '../../src/scenario/pictures.ts'
import { runScenario } from '../../src/scenario/run.ts'
import type { Scenario } from '../../src/scenario/scenario.ts'
import { sharesOf } from '../../src/scenario/shares.ts'
import { describeScenario, flowRows, tableText } from '../../src/scenario/table.ts'
import { root } from '../support/source-tree.ts'

/** Of those that come with the package; `npm run scenarios -- --check`, which .ci/run does, holds all of them. */
const QUICK = ['head-of-line']

const shared: Scenario = {
  title: 'two at a bottleneck',
  length: 3000,
  hosts: { a: {}, b: {}, router: { router: true }, sink: {} },
  links: [
    { between: ['a', 'router'], both: { rate: 1000, delay: 5 } },
    { between: ['b', 'router'], both: { rate: 1000, delay: 5 } },
    { between: ['router', 'sink'], both: { rate: 8, delay: 5, queue: 40 }, forward: { loss: 0.002 } },
  ],
  flows: [
    { name: 'file', from: 'a', to: 'sink', size: 1_000_000 },
    { name: 'other', from: 'b', to: 'sink', start: 500, duration: 1500, controller: 'reno' },
    { name: 'pair', from: 'a', to: 'sink', start: 100, size: 20_000 },
    { name: 'pair', from: 'b', to: 'sink', start: 100, size: 20_000 },
    { http: '1.1', client: 'sink', server: 'a', start: 200, resources: [{ size: 5000, count: 2 }] },
    { http: '2', client: 'sink', server: 'b', start: 200, resources: [{ name: 'big', size: 90_000 }, { size: 5000 }] },
  ],
  plots: ['goodput', 'window', 'rtt', 'queue', 'responses'],
}

async function everything(seed?: number) {
  const blocks: Uint8Array[] = []
  const brief = { ...shared, length: 900 }
  const result = await runScenario(brief, { seed, capture: (block) => void blocks.push(block) })
  const drawn = pictures(result).map(({ name, svg }) => `${name}\n${svg}`)
  return { result, octets: [tableText(result), JSON.stringify(describeScenario(result)), ...drawn].join('\n'), blocks }
}

describe('a run', () => {
  it('gives the same table, figures, pictures and packets for the same seed, and others for another', async () => {
    const [one, again, other] = [await everything(), await everything(1), await everything(2)]
    expect(again.octets).toBe(one.octets)
    expect(Buffer.concat(again.blocks).equals(Buffer.concat(one.blocks))).toBe(true)
    expect(other.octets).not.toBe(one.octets)
  })

  it('measures what was asked for', async () => {
    const result = await runScenario(shared)
    const [file, other, pair, http1, http2] = flowRows(result)
    expect(file.goodput).toBeGreaterThan(2)
    expect(file.goodput).toBeLessThan(8)
    expect(file.done).toBeGreaterThan(1000)
    expect(result.flows[0].delivered).toBe(1_000_000)
    // It stops after its duration.
    expect(other.done).toBeGreaterThan(2000)
    expect(other.done).toBeLessThan(2400)
    expect(pair).toMatchObject({ count: 2, controller: 'cubic', trouble: null })
    for (const row of [file, other, pair, http1, http2]) {
      // 20 ms there and back, a queue of 40 packets, which is 60 ms, and 40 ms of a delayed acknowledgment.
      expect(row.rtt[0]).toBeGreaterThan(20)
      expect(row.rtt[2]).toBeLessThan(120)
      expect(row.segments).toBeGreaterThan(0)
    }
    expect(file.segments).toBeGreaterThan(1_000_000 / 1448)
    const { responses } = describeScenario(result)
    expect(responses.map(({ page, name, size, received }) => [page, name, size, received])).toEqual([
      ['HTTP/1.1', 'resource 1 1', 5000, 5000],
      ['HTTP/1.1', 'resource 1 2', 5000, 5000],
      ['HTTP/2', 'big', 90_000, 90_000],
      ['HTTP/2', 'resource 2', 5000, 5000],
    ])
    const [first, second] = responses
    expect(second.first).toBeGreaterThan(first.last ?? Number.POSITIVE_INFINITY)
    const [, , big, small] = responses
    expect(small.last).toBeLessThan(big.last ?? 0)
    expect(result.queue?.name).toBe('router to sink')
    expect(Math.max(...(result.queue?.waiting ?? []))).toBeLessThanOrEqual(41)
  })

  it('finds where flows meet, and how even their shares are', async () => {
    const equal: Scenario = {
      ...shared,
      flows: ['a', 'b'].map((from) => ({ from, to: 'sink' })),
    }
    const even = sharesOf(await runScenario(equal))
    expect(even).toMatchObject({ link: 'router to sink', flows: 2, from: 0, to: 3000 })
    expect(even?.index).toBeGreaterThan(0.8)
    expect(sharesOf(await runScenario({ ...equal, flows: [equal.flows[0]] }))).toBeNull()
  })

  it('tells how far it is', async () => {
    const shares: number[] = []
    const brief: Scenario = { ...shared, length: 50, flows: [shared.flows[0]] }
    const result = await runScenario(brief, { onProgress: (share) => void shares.push(share) })
    expect(shares).toHaveLength(30)
    expect(shares[29]).toBe(1)
    expect(result.flows[0].done).toBe(Number.POSITIVE_INFINITY)
  })

  it('says what became of a flow whose path is not there', async () => {
    const cut: Scenario = {
      ...shared,
      length: 20_000,
      hosts: { a: { tcp: { synRetries: 2 } }, b: {} },
      links: [{ between: ['a', 'b'], changes: [{ at: 0, cut: 'both' }] }],
      flows: [{ from: 'a', to: 'b', start: 1 }],
      plots: ['goodput', 'window', 'rtt', 'queue', 'responses'],
    }
    const result = await runScenario(cut)
    expect(flowRows(result)[0]).toMatchObject({ goodput: 0, segments: 0, trouble: 'timedOut', done: null })
    expect(tableText(result)).toContain('timedOut')
    expect(pictures(result).join()).not.toContain('NaN')
  })
})

describe('the documentation', () => {
  it.each(QUICK)('shows of %s what comes out (npm run scenarios writes it anew)', async (name) => {
    const { text, pictures: drawn } = section(name, await runScenario(SCENARIOS[name]))
    expect(readFileSync(join(root, PAGE), 'utf8')).toContain(text)
    for (const picture of drawn) expect(readFileSync(join(root, PICTURES, picture.name), 'utf8')).toBe(picture.svg)
  })

  it('has a section for every scenario, and runs its own example', async () => {
    const text = readFileSync(join(root, PAGE), 'utf8')
    for (const [name, { title }] of Object.entries(SCENARIOS)) {
      expect(text).toContain(`## ${title}\n`)
      expect(text).toContain(`\`tunstack simulate ${name}\``)
    }
    const example = JSON.parse(/```json\n([\s\S]*?)```/.exec(text)?.[1] ?? '') as Scenario
    const { flows } = await runScenario({ ...example, length: 4500 })
    expect(flows.map(({ delivered }) => delivered > 0)).toEqual([true, true, true])
  })
})
