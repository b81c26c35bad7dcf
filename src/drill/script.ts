// A packetdrill script as the parser leaves it: events with their times, in the order in which they are to happen.
// Nothing here does anything; drill/parser makes it, drill/runner plays it. Times are microseconds.

/** When an event is to happen; `from` is 0 and of no meaning for `any`. */
export interface When {
  readonly kind: 'absolute' | 'relative' | 'any'
  readonly from: number
  /** The end of a range `0.1~0.2`; null for one moment. */
  readonly to: number | null
}

/** An argument or a result of a system call. */
export type Value =
  | { readonly kind: 'any' }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'or'; readonly parts: readonly Value[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  | { readonly kind: 'struct'; readonly fields: ReadonlyMap<string, Value> }
  | { readonly kind: 'apply'; readonly name: string; readonly args: readonly Value[] }

export interface CallSpec {
  readonly name: string
  readonly args: readonly Value[]
  readonly result: Value
  /** `EAGAIN` after `-1`. */
  readonly error: string | null
}

/** An option of TCP as it is written: numbers are null where `*` stands, or nothing. */
export type OptionSpec =
  | { readonly kind: 'mss' | 'wscale'; readonly value: number | null }
  | { readonly kind: 'nop' | 'eol' | 'sackOK' }
  | { readonly kind: 'sack'; readonly blocks: readonly (readonly [number, number])[] }
  | { readonly kind: 'TS'; readonly value: number | null; readonly echo: number | null }
  | { readonly kind: 'other'; readonly number: number; readonly octets: readonly number[] }

/** `isOpen` where `...` stands at the end: any others may be there too. */
export interface OptionsSpec {
  readonly list: readonly OptionSpec[]
  readonly isOpen: boolean
}

export interface TcpSpec {
  readonly protocol: 'tcp'
  /** Values of `wire/tcp`'s Flag. */
  readonly flags: number
  readonly sequence: number
  readonly length: number
  readonly ack: number | null
  readonly window: number | null
  readonly urgent: number | null
  readonly options: OptionsSpec
}

export interface UdpSpec {
  readonly protocol: 'udp'
  readonly length: number
}

/** What an ICMP error quotes: the beginning of a packet that went the other way. */
export interface QuoteSpec {
  readonly protocol: 'tcp' | 'udp'
  readonly flags: number
  readonly sequence: number
  readonly length: number
}

export interface IcmpSpec {
  readonly protocol: 'icmp'
  /** As written: `unreachable`, `type_3`, `3`. */
  readonly type: string
  readonly code: string | null
  readonly mtu: number | null
  readonly identifier: number | null
  readonly number: number | null
  readonly length: number | null
  readonly quote: QuoteSpec | null
}

/** What stands in `[…]` before the segment. */
export interface IpSpec {
  /** The two ECN bits: RFC 3168 §5. */
  readonly ecn: number | null
  readonly trafficClass: number | null
  readonly hopLimit: number | null
  readonly flowLabel: number | null
  readonly identification: number | null
  /** Only these octets of the IP packet's payload, as a fragment; `more` where others follow. */
  readonly fragment: { readonly start: number; readonly end: number; readonly more: boolean | null } | null
}

export interface PacketSpec {
  readonly direction: 'in' | 'out'
  readonly ip: IpSpec
  readonly ports: { readonly source: number; readonly destination: number } | null
  readonly body: TcpSpec | UdpSpec | IcmpSpec
}

interface Placed {
  readonly line: number
  /** As it stands in the script, on one line. */
  readonly text: string
  readonly when: When
}

export interface CallEvent extends Placed {
  readonly kind: 'call'
  readonly call: CallSpec
  /** When a call that blocks is to return: `0.1...0.2`. Null for one that returns at once. */
  readonly until: number | null
}

export interface PacketEvent extends Placed {
  readonly kind: 'packet'
  readonly packet: PacketSpec
}

export interface CommandEvent extends Placed {
  readonly kind: 'command'
  readonly command: string
}

export interface CodeEvent extends Placed {
  readonly kind: 'code'
  readonly code: string
}

export type ScriptEvent = CallEvent | PacketEvent | CommandEvent | CodeEvent

export interface Script {
  /** `--name=value` lines; an empty text where no value stands. */
  readonly flags: ReadonlyMap<string, string>
  /** `// tunstack: name=value`: our own settings, for this script alone. */
  readonly knobs: ReadonlyMap<string, string>
  readonly firstComment: string
  readonly events: readonly ScriptEvent[]
}

/** The script can't be read: its fault, or a part of the language that is not known here. */
export class ScriptError extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.name = 'ScriptError'
    this.line = line
  }
}

/** The script asks for something that does not exist here: it is neither passed nor failed. */
export class Unsupported extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Unsupported'
  }
}
