// Whether a value is a scenario: everything that is wrong with one is found before it runs, and told in one sentence that names the place.
// Called by run.ts, and by whoever reads scenarios from files.
import { DEFAULT_SETTINGS } from '../core/tcp/settings.ts'
import { checkImpairment } from '../link/impairment.ts'
import { PLOTS, type Scenario } from './scenario.ts'

/** Ends a name's meaning anything but itself in a file's name, an SVG or a terminal. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._,+×–-]{0,59}$/u
const MOST_FLOWS = 1000
const LONGEST = 86_400_000
const LARGEST = 2 ** 40
const CONTROLLERS = ['cubic', 'reno', 'bbr']
const DIRECTIONS = ['forward', 'backward', 'both']
const FAULTS = ['both', 'forward', 'backward']

export class ScenarioError extends Error {
  readonly code = 'ERR_SCENARIO'

  constructor(message: string) {
    super(message)
    this.name = 'ScenarioError'
  }
}

type Fields = Readonly<Record<string, unknown>>

/** The value itself; throws a ScenarioError for what is none. */
export function checkScenario(value: unknown): Scenario {
  const scenario = fields(value, 'a scenario', ['title', 'about', 'seed', 'length', 'hosts', 'links', 'flows', 'plots'])
  text(scenario.title, 'title')
  if (scenario.about !== undefined) text(scenario.about, 'about')
  const { seed = 1 } = scenario
  if (typeof seed !== 'string' && !Number.isFinite(seed)) fail(`seed is a number or a text, not ${shown(seed)}`)
  number(scenario.length, 'length', 1, LONGEST)
  const hosts = checkHosts(scenario.hosts)
  for (const [place, link] of list(scenario.links, 'links').entries()) checkLink(link, `links[${place}]`, hosts)
  const flows = list(scenario.flows, 'flows')
  if (flows.length === 0) fail('flows names nobody who sends anything')
  if (flows.length > MOST_FLOWS) fail(`flows has ${flows.length} of at most ${MOST_FLOWS}`)
  for (const [place, flow] of flows.entries()) checkFlow(flow, `flows[${place}]`, hosts, scenario.length as number)
  if (scenario.plots !== undefined)
    for (const [place, plot] of list(scenario.plots, 'plots').entries()) oneOf(plot, `plots[${place}]`, PLOTS)
  return value as Scenario
}

function checkHosts(value: unknown): ReadonlySet<string> {
  const hosts = object(value, 'hosts')
  const names = Object.keys(hosts)
  if (names.length < 2) fail('hosts needs two names at least')
  for (const name of names) {
    named(name, 'a host')
    const host = fields(hosts[name], `hosts.${name}`, ['router', 'tcp'])
    if (host.router !== undefined && typeof host.router !== 'boolean')
      fail(`hosts.${name}.router is true or false, not ${shown(host.router)}`)
    if (host.tcp !== undefined) checkSettings(host.tcp, `hosts.${name}.tcp`)
  }
  return new Set(names)
}

function checkSettings(value: unknown, where: string): void {
  for (const [name, setting] of Object.entries(object(value, where))) {
    const usual: unknown = (DEFAULT_SETTINGS as unknown as Fields)[name]
    if (usual === undefined) fail(`${where} has no setting '${name}'`)
    if (typeof setting !== typeof usual || (typeof setting === 'number' && !(setting >= 0)))
      fail(`${where}.${name} is of the kind of ${shown(usual)}, not ${shown(setting)}`)
  }
}

function checkLink(value: unknown, where: string, hosts: ReadonlySet<string>): void {
  const link = fields(value, where, ['between', 'mtu', 'changes', ...FAULTS])
  const ends = list(link.between, `${where}.between`)
  if (ends.length !== 2 || ends[0] === ends[1]) fail(`${where}.between names two hosts, not ${shown(ends)}`)
  for (const end of ends) hostIn(end, `${where}.between`, hosts)
  if (link.mtu !== undefined) number(link.mtu, `${where}.mtu`, 1280, 65_535)
  checkFaults(link, where)
  if (link.changes === undefined) return
  let before = 0
  for (const [place, given] of list(link.changes, `${where}.changes`).entries()) {
    const here = `${where}.changes[${place}]`
    const change = fields(given, here, ['at', 'cut', 'heal', ...FAULTS])
    number(change.at, `${here}.at`, before, LONGEST)
    before = change.at as number
    for (const name of ['cut', 'heal'])
      if (change[name] !== undefined) oneOf(change[name], `${here}.${name}`, DIRECTIONS)
    checkFaults(change, here)
  }
}

function checkFaults(given: Fields, where: string): void {
  for (const name of FAULTS) {
    if (given[name] === undefined) continue
    const impairment = object(given[name], `${where}.${name}`)
    try {
      checkImpairment(impairment)
    } catch (error) {
      fail(`${where}.${name}: ${(error as Error).message}`)
    }
  }
}

function checkFlow(value: unknown, where: string, hosts: ReadonlySet<string>, length: number): void {
  const isHttp = 'http' in object(value, where)
  const own = isHttp ? ['http', 'client', 'server', 'resources'] : ['from', 'to', 'size', 'duration']
  const flow = fields(value, where, ['name', 'controller', 'start', ...own])
  if (flow.name !== undefined) named(flow.name, `${where}.name`)
  if (flow.controller !== undefined) oneOf(flow.controller, `${where}.controller`, CONTROLLERS)
  if (flow.start !== undefined) number(flow.start, `${where}.start`, 0, length)
  const [one, other] = isHttp ? ['client', 'server'] : ['from', 'to']
  for (const name of [one, other]) hostIn(flow[name], `${where}.${name}`, hosts)
  if (flow[one] === flow[other]) fail(`${where} leads from ${shown(flow[one])} to itself`)
  if (!isHttp) {
    if (flow.size !== undefined) number(flow.size, `${where}.size`, 1, LARGEST)
    if (flow.duration !== undefined) number(flow.duration, `${where}.duration`, 1, LONGEST)
    return
  }
  oneOf(flow.http, `${where}.http`, ['1.1', '2'])
  const resources = list(flow.resources, `${where}.resources`)
  if (resources.length === 0) fail(`${where}.resources names nothing that is asked for`)
  for (const [place, given] of resources.entries()) checkResource(given, `${where}.resources[${place}]`)
}

function checkResource(given: unknown, where: string): void {
  const resource = fields(given, where, ['name', 'size', 'count'])
  if (resource.name !== undefined) named(resource.name, `${where}.name`)
  number(resource.size, `${where}.size`, 1, LARGEST)
  if (resource.count === undefined) return
  number(resource.count, `${where}.count`, 1, 100)
  if (!Number.isInteger(resource.count)) fail(`${where}.count is a whole number, not ${shown(resource.count)}`)
}

function fail(sentence: string): never {
  throw new ScenarioError(sentence)
}

function object(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    fail(`${where} is an object, not ${shown(value)}`)
  return value as Fields
}

function fields(value: unknown, where: string, known: readonly string[]): Fields {
  const given = object(value, where)
  const stray = Object.keys(given).find((name) => !known.includes(name))
  if (stray !== undefined) fail(`${where} has no '${stray}': there are ${known.join(', ')}`)
  return given
}

function list(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) fail(`${where} is a list, not ${shown(value)}`)
  return value
}

function text(value: unknown, where: string): void {
  if (typeof value !== 'string' || value === '') fail(`${where} is a text, not ${shown(value)}`)
}

function named(value: unknown, where: string): void {
  if (typeof value !== 'string' || !NAME.test(value))
    fail(`${where} has a name of letters, digits and " ._,+-", not ${shown(value)}`)
}

function number(value: unknown, where: string, least: number, most: number): void {
  if (typeof value !== 'number' || !(value >= least && value <= most))
    fail(`${where} is a number from ${least} to ${most}, not ${shown(value)}`)
}

function oneOf(value: unknown, where: string, choices: readonly string[]): void {
  if (!choices.includes(value as string)) fail(`${where} is one of ${choices.join(', ')}, not ${shown(value)}`)
}

function hostIn(value: unknown, where: string, hosts: ReadonlySet<string>): void {
  if (!hosts.has(value as string))
    fail(`${where} names the host ${shown(value)}, and there are ${[...hosts].join(', ')}`)
}

function shown(value: unknown): string {
  if (typeof value === 'number' || value === undefined) return String(value)
  const written = JSON.stringify(value) ?? typeof value
  return written.length > 60 ? `${written.slice(0, 57)}...` : written
}
