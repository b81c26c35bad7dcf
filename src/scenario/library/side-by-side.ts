// The same path once for each controller, so that they are compared without meeting.
import type { LinkChange, LinkFaults, Scenario, ScenarioFlow } from '../scenario.ts'

type Controller = NonNullable<ScenarioFlow['controller']>

export function sideBySide(
  controllers: readonly Controller[],
  faults: LinkFaults & { changes?: readonly LinkChange[] },
): Pick<Scenario, 'hosts' | 'links' | 'flows'> {
  const ends = controllers.map((controller) => [`${controller} sender`, `${controller} receiver`] as const)
  return {
    hosts: Object.fromEntries(ends.flat().map((name) => [name, {}])),
    links: ends.map((between) => ({ between, ...faults })),
    flows: controllers.map((controller, place) => {
      const [from, to] = ends[place]
      return { name: controller, controller, from, to }
    }),
  }
}
