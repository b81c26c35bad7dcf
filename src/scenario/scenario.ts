// What a scenario is: hosts, links whose faults change while time passes, and who sends what to whom. A plain value, so that it can be
// written as JSON. Milliseconds, octets, Mbit/s and fractions throughout; what may stand where is checked by scenario-check.ts.
import type { Impairment } from '../link/impairment.ts'
import type { PortableStackOptions } from '../runtime/create-stack.ts'
import type { Direction } from '../simulate/network-link.ts'

export type TcpOptions = NonNullable<PortableStackOptions['tcp']>

export interface Scenario {
  /** One line, above the table and the pictures. */
  readonly title: string
  /** What there is to see. */
  readonly about?: string
  /** 1 unless said otherwise. */
  readonly seed?: number | string
  /** Milliseconds of virtual time. */
  readonly length: number
  /** By their names. */
  readonly hosts: { readonly [name: string]: ScenarioHost }
  readonly links: readonly ScenarioLink[]
  readonly flows: readonly ScenarioFlow[]
  /** The pictures that are drawn, `goodput`, `window` and `rtt` unless said otherwise. */
  readonly plots?: readonly PlotName[]
}

export interface ScenarioHost {
  /** Passes on what is for others. */
  readonly router?: boolean
  /** TCP's settings of this host, where they are not the defaults. */
  readonly tcp?: TcpOptions
}

/** `forward` is from the host named first to the other. What is said of one direction stands over what is said of both. */
export interface LinkFaults {
  readonly both?: Impairment
  readonly forward?: Impairment
  readonly backward?: Impairment
}

export interface ScenarioLink extends LinkFaults {
  readonly between: readonly [string, string]
  /** What both ends know that the link takes; 1500 unless said otherwise. */
  readonly mtu?: number
  /** In the order of their times. */
  readonly changes?: readonly LinkChange[]
}

export interface LinkChange extends LinkFaults {
  /** Milliseconds from the beginning. */
  readonly at: number
  /** Nothing gets through any more, and what is on its way is lost. */
  readonly cut?: Direction | 'both'
  readonly heal?: Direction | 'both'
}

export type ScenarioFlow = BulkFlow | HttpFlow

interface AnyFlow {
  /** Flows of the same name are one row of the table, and one line of a picture. */
  readonly name?: string
  /** Of whoever sends the octets. */
  readonly controller?: 'cubic' | 'reno' | 'bbr'
  /** When the SYN leaves; 0 unless said otherwise. */
  readonly start?: number
}

/** Octets one way, as many as can be: so many, for so long, or until the end. */
export interface BulkFlow extends AnyFlow {
  readonly from: string
  readonly to: string
  readonly size?: number
  readonly duration?: number
}

/** A page on one connection: resources asked for one after the other over HTTP/1.1, or all at once over HTTP/2. */
export interface HttpFlow extends AnyFlow {
  readonly http: '1.1' | '2'
  readonly client: string
  readonly server: string
  readonly resources: readonly HttpResource[]
}

export interface HttpResource {
  readonly name?: string
  readonly size: number
  /** 1 unless said otherwise. */
  readonly count?: number
}

export const PLOTS = ['goodput', 'window', 'rtt', 'queue', 'responses'] as const
export type PlotName = (typeof PLOTS)[number]

export function isHttp(flow: ScenarioFlow): flow is HttpFlow {
  return 'http' in flow
}
