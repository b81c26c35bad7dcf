// How evenly transfers share the link that most of them cross: Jain's index (R. Jain, D. Chiu, W. Hawe, 1984) over the time in which all
// of them are under way. 1 is equal shares; one of n who has it all makes it 1/n.
import type { Measured } from './measured.ts'
import type { ScenarioResult } from './run.ts'
import type { Scenario } from './scenario.ts'

export interface Shares {
  /** Where they meet. */
  readonly link: string
  readonly flows: number
  /** Milliseconds. */
  readonly from: number
  readonly to: number
  readonly index: number
}

/** Null where no two transfers meet at a link with a rate, or not at the same time. */
export function sharesOf({ scenario, flows }: ScenarioResult): Shares | null {
  const crossing = new Map<string, Measured[]>()
  for (const flow of flows)
    if (!flow.isHttp)
      for (const link of limitedLinks(scenario, flow)) crossing.set(link, [...(crossing.get(link) ?? []), flow])
  const [first] = [...crossing].sort(([, one], [, other]) => other.length - one.length)
  if (first === undefined || first[1].length < 2) return null
  const [link, meeting] = first
  const from = Math.max(...meeting.map(({ start }) => start))
  const to = Math.min(scenario.length, ...meeting.map(({ done }) => done))
  if (!(to > from)) return null
  const shares = meeting.map((flow) => deliveredBy(flow, to) - deliveredBy(flow, from))
  const sum = shares.reduce((all, one) => all + one, 0)
  const squares = shares.reduce((all, one) => all + one * one, 0)
  return squares === 0 ? null : { link, flows: shares.length, from, to, index: sum ** 2 / (shares.length * squares) }
}

function deliveredBy({ samples }: Measured, time: number): number {
  let delivered = 0
  for (let at = 0; at < samples.time.length && samples.time[at] <= time; at++) delivered = samples.delivered[at]
  return delivered
}

interface Step {
  readonly host: string
  readonly links: readonly string[]
}

/** The links with a rate on the shortest path from who sends to who receives, which leads through routers. */
function limitedLinks({ hosts, links }: Scenario, { from, to }: Measured): readonly string[] {
  const seen = new Set([from])
  const steps: Step[] = [{ host: from, links: [] }]
  for (const { host, links: crossed } of steps) {
    if (host === to) return crossed
    if (host !== from && hosts[host].router !== true) continue
    for (const { between, both, forward, backward } of links) {
      const way = between.indexOf(host)
      if (way < 0) continue
      const next = between[1 - way]
      if (seen.has(next)) continue
      seen.add(next)
      const hasRate = { ...both, ...(way === 0 ? forward : backward) }.rate !== undefined
      steps.push({ host: next, links: hasRate ? [...crossed, `${host} to ${next}`] : crossed })
    }
  }
  return []
}
