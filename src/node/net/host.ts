// What `net` and `dgram` stand on: a stack's core and driver, what keeps the process alive for it, and its names.
import type { Address } from '../../core/ip/address.ts'
import type { Interface } from '../../core/ip/interface.ts'
import type { Stack } from '../../core/stack.ts'
import type { Driver } from '../../runtime/driver.ts'
import type { KeepAlive } from '../keep-alive.ts'
import type { KeyLog } from '../key-log.ts'
import type { LookupCallback, LookupOptions } from '../resolver.ts'
import type { Farewells } from './farewell.ts'

export interface NetHost {
  readonly core: Stack
  readonly driver: Driver
  readonly keepAlive: KeepAlive
  /** Holds the process for what closed sockets have not delivered. */
  readonly farewells: Farewells
  /** Secrets of TLS. */
  readonly keyLog?: KeyLog
  lookup(hostname: string, options: LookupOptions, callback: LookupCallback): void
}

export interface SocketName {
  address?: string
  family?: string
  port?: number
}

export function textOf(address: Address, isMapped: boolean): string {
  return isMapped && address.isIpv4 ? `::ffff:${address}` : address.toString()
}

/** As `getsockname` has it. A socket of IPv6 shows IPv4 addresses in their mapped form. */
export function fillName(name: SocketName, address: Address, port: number, isMapped: boolean): void {
  name.address = textOf(address, isMapped)
  name.family = address.isIpv4 && !isMapped ? 'IPv4' : 'IPv6'
  name.port = port
}

export function findInterface(host: NetHost, wanted: string | Interface): Interface | null {
  if (typeof wanted !== 'string') return wanted
  return host.core.interfaces.list.find((one) => one.name === wanted) ?? null
}
