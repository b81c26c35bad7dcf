// What is wrong with a scenario is told in one sentence that names the place, before anything runs.
import { describe, expect, it } from 'vitest'
import { SCENARIOS } from '../../src/scenario/library.ts'
import { runScenario } from '../../src/scenario/run.ts'
import type { Scenario } from '../../src/scenario/scenario.ts'
import { checkScenario, ScenarioError } from '../../src/scenario/scenario-check.ts'

const base = {
  title: 'two hosts',
  length: 1000,
  hosts: { one: {}, other: {} },
  links: [{ between: ['one', 'other'], both: { delay: 1 } }],
  flows: [{ from: 'one', to: 'other' }],
}
const link = (more: object) => ({ ...base, links: [{ ...base.links[0], ...more }] })
const flow = (more: object) => ({ ...base, flows: [{ ...base.flows[0], ...more }] })
const page = (more: object) => ({
  ...base,
  flows: [{ http: '2', client: 'one', server: 'other', resources: [{ size: 1 }], ...more }],
})

const WRONG: [value: unknown, said: RegExp][] = [
  [null, /^a scenario is an object, not null$/],
  [[base], /^a scenario is an object, not \[/],
  [{ ...base, lenght: 5 }, /^a scenario has no 'lenght': there are title, about, seed, length/],
  [{ ...base, title: '' }, /^title is a text, not ""$/],
  [{ ...base, length: '1s' }, /^length is a number from 1 to 86400000, not "1s"$/],
  [{ ...base, length: Number.NaN }, /^length is a number/],
  [{ ...base, seed: {} }, /^seed is a number or a text, not \{\}$/],
  [{ ...base, hosts: { one: {} } }, /^hosts needs two names at least$/],
  [{ ...base, hosts: { one: {}, other: {}, '../x': {} } }, /^a host has a name of letters/],
  [{ ...base, hosts: { one: { routes: true }, other: {} } }, /^hosts\.one has no 'routes': there are router, tcp$/],
  [{ ...base, hosts: { one: { router: 1 }, other: {} } }, /^hosts\.one\.router is true or false, not 1$/],
  [{ ...base, hosts: { one: { tcp: { sack: true } }, other: {} } }, /^hosts\.one\.tcp has no setting 'sack'$/],
  [
    { ...base, hosts: { one: { tcp: { delayedAck: 'no' } }, other: {} } },
    /^hosts\.one\.tcp\.delayedAck is of the kind of 40, not "no"$/,
  ],
  [{ ...base, links: {} }, /^links is a list, not \{\}$/],
  [link({ between: ['one', 'one'] }), /^links\[0\]\.between names two hosts/],
  [link({ between: ['one', 'two'] }), /^links\[0\]\.between names the host "two", and there are one, other$/],
  [link({ delay: 5 }), /^links\[0\] has no 'delay': there are between, mtu, changes, both, forward, backward$/],
  [link({ both: { loss: 2 } }), /^links\[0\]\.both: loss must be a fraction from 0 to 1, not 2$/],
  [link({ forward: { los: 0.1 } }), /^links\[0\]\.forward: there is no impairment 'los'/],
  [link({ mtu: 60 }), /^links\[0\]\.mtu is a number from 1280 to 65535, not 60$/],
  [link({ changes: [{ at: 5 }, { at: 4 }] }), /^links\[0\]\.changes\[1\]\.at is a number from 5 to/],
  [link({ changes: [{ at: 5, cut: true }] }), /^links\[0\]\.changes\[0\]\.cut is one of forward, backward, both/],
  [{ ...base, flows: [] }, /^flows names nobody who sends anything$/],
  [flow({ to: 'one' }), /^flows\[0\] leads from "one" to itself$/],
  [flow({ size: 0 }), /^flows\[0\]\.size is a number from 1 to/],
  [flow({ start: 2000 }), /^flows\[0\]\.start is a number from 0 to 1000, not 2000$/],
  [flow({ controller: 'vegas' }), /^flows\[0\]\.controller is one of cubic, reno, bbr, not "vegas"$/],
  [flow({ http: '1.1' }), /^flows\[0\] has no 'from'/],
  [page({ http: '3' }), /^flows\[0\]\.http is one of 1\.1, 2, not "3"$/],
  [page({ resources: [] }), /^flows\[0\]\.resources names nothing that is asked for$/],
  [page({ resources: [{ size: 1, count: 1.5 }] }), /^flows\[0\]\.resources\[0\]\.count is a whole number, not 1\.5$/],
  [{ ...base, plots: ['cwnd'] }, /^plots\[0\] is one of goodput, window, rtt, queue, responses, not "cwnd"$/],
]

describe('a scenario', () => {
  it.each(WRONG)('%# is refused in a sentence', (value, said) => {
    expect(() => checkScenario(value)).toThrow(ScenarioError)
    expect(() => checkScenario(value)).toThrow(said)
  })

  it('is itself where nothing is wrong, and survives JSON', () => {
    for (const scenario of [base, page({}), ...Object.values(SCENARIOS)]) {
      expect(checkScenario(scenario)).toBe(scenario)
      expect(JSON.parse(JSON.stringify(scenario))).toEqual(scenario)
    }
  })

  it('is checked by whoever runs it', async () => {
    await expect(runScenario({ ...base, length: -1 } as unknown as Scenario)).rejects.toThrow(ScenarioError)
  })
})
