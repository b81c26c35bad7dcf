// `tunstack serve`: a TUN device and a stack on it, until a signal. Listeners are bound before the stack reads its first
// packet, so that an answered ping means that all of them are up, in both families.
import type { CAC, Command } from 'cac'
import { type CaptureFile, createStack, type NodeStack, openCaptureFile, startServices, WatchedLink } from '../index.ts'
import { type Allowed, readAllowed } from './allowed.ts'
import { startControl } from './control.ts'
import { addDashboardOptions, dashboard } from './dashboard.ts'
import {
  addDeviceOptions,
  addSecondDeviceOptions,
  bare,
  type DeviceSettings,
  networkOf,
  type OpenedDevice,
  openDevice,
  readDevice,
} from './device.ts'
import { addHttpOptions, DEFAULT_HTTP, type HttpSettings, readHttp, startHttp } from './http.ts'
import { addImpairmentOptions, type ImpairmentPlan, impairLink, readImpairments } from './impair.ts'
import { addMetricsOptions, metrics } from './metrics.ts'
import { Options } from './options.ts'
import { CommandError, Exit, exitCodeOf, say, styled, tellJson, usageError } from './output.ts'
import { isInside, runInside } from './private.ts'
import { untilSignal } from './signals.ts'

/** The longest packet that a capture may be asked to keep whole. */
const WHOLE = 262_144

export interface ServeSettings {
  readonly devices: readonly DeviceSettings[]
  readonly forward: boolean
  readonly any: boolean
  readonly services: boolean
  /** Null: without the HTTP server. */
  readonly http: HttpSettings | null
  /** Null: without the dashboard. */
  readonly dashboard: Allowed | null
  /** Null: without `/metrics`. */
  readonly metrics: Allowed | null
  /** Null: nothing is captured. */
  readonly capture: { readonly file: string; readonly snapLength: number } | null
  /** On the first device: what a second one sends crosses it once. */
  readonly impairments: ImpairmentPlan | null
  readonly json: boolean
}

export function addServe(cli: CAC): void {
  addSecondDeviceOptions(
    addImpairmentOptions(
      addOptions(
        addMetricsOptions(
          addDashboardOptions(
            addHttpOptions(
              addDeviceOptions(cli.command('serve', 'Brings up a TUN device with a stack and an HTTP server on it')),
            ),
          ),
        ),
      ),
    ),
  )
    .example('  $ tunstack serve')
    .example('  $ tunstack serve --root . --listing --log=-')
    .example('  $ tunstack serve --services --capture /tmp/tun0.pcapng')
    .example('  $ tunstack serve --private                    (without root)')
    .example('  $ tunstack serve --netns blue --tun tun7 --host 10.9.0.1/24 --address 10.9.0.2/24')
    .example('  $ tunstack serve --forward --netns left --netns2 right')
    .example('  $ tunstack serve --services --impair delay=10,loss=0.01 --impair-out rate=10,queue=100')
    .action((given: Record<string, unknown>) => {
      const options = new Options(given)
      const settings = readSettings(options)
      return options.flag('private') && !isInside() ? runInside(process.argv.slice(2)) : serve(settings)
    })
}

function addOptions(command: Command): Command {
  return command
    .option('--services', 'Runs echo (7), discard (9), daytime (13), chargen (19) and iperf3 (5201) over UDP and TCP')
    .option('--any', 'Takes packets for every address as its own')
    .option('--forward', 'Routes between this device and a second one, without offload')
    .option('--capture <file>', 'Writes every packet to a pcapng file, with what the stack knows of it as comments')
    .option('--snaplen <octets>', 'Octets of each packet that the capture keeps')
    .option('--private', 'In a user and network namespace of its own: needs no root and touches nothing outside')
    .option('--json', 'Prints what was brought up as one line of JSON')
}

function readSettings(options: Options): ServeSettings {
  const forward = options.flag('forward')
  if (!forward) {
    const second = ['tun2', 'host2', 'address2', 'host2-6', 'address2-6', 'netns2', 'mtu2']
    const given = second.find((name) => options.text(name) !== null)
    if (given !== undefined) throw usageError(`--${given} is of use with --forward only.`)
  }
  const devices = [readDevice(options)]
  if (forward) devices.push(readDevice(options, '2'))
  const [first, other] = devices
  if (other !== undefined && other.name === first.name && other.netns === first.netns)
    throw usageError(`--tun and --tun2 are two devices, and both are ${first.name}.`)
  if (options.flag('private') && devices.some(({ netns }) => netns !== null))
    throw usageError('--private and --netns exclude each other.')
  const impairments = readImpairments(options)
  // A super-segment would be lost, held or dropped as one packet.
  const isWhole = forward || (impairments !== null && options.text('offload') !== 'on')
  return {
    devices: isWhole ? devices.map((device) => ({ ...device, offload: false })) : devices,
    impairments,
    forward,
    any: options.flag('any'),
    services: options.flag('services'),
    http: readHttp(options),
    dashboard: readAllowed(options, 'dashboard'),
    metrics: readAllowed(options, 'metrics'),
    capture: readCapture(options),
    json: options.flag('json'),
  }
}

function readCapture(options: Options): ServeSettings['capture'] {
  const file = options.text('capture')
  if (file === null && options.text('snaplen') !== null) throw usageError('--snaplen is of use with --capture only.')
  return file === null ? null : { file, snapLength: options.integer('snaplen', WHOLE, 1, WHOLE) }
}

/** Serves until a signal; the exit code. */
export async function serve(settings: ServeSettings): Promise<number> {
  let lose: (error: Error) => void = () => {}
  const lost = new Promise<never>((_, reject) => {
    lose = reject
  })
  lost.catch(() => {})
  const told = untilSignal()
  const { capture: captured } = settings
  const file = captured === null ? null : openFile(captured.file)
  const stack = await createStack({ forward: settings.forward })
  if (file !== null) stack.capture(file.write, captured ?? {})
  stack.hold()
  const control = await startControl(stack)
  try {
    if (settings.services) startServices(stack)
    const links: WatchedLink[] = []
    const http =
      settings.http === null
        ? null
        : await startHttp(stack, settings.http, dashboardOf(stack, settings, links), (server) =>
            settings.metrics === null ? null : metrics(stack, server, settings.metrics, networksOf(settings)),
          )
    const devices = openAll(settings, lose)
    links.push(...attachAll(stack, devices, settings))
    announce(devices, settings)
    await Promise.race([told, lost])
    await http?.close()
    sayFarewell(stack, devices)
    return Exit.done
  } finally {
    control?.close()
    stack.close()
    file?.close()
  }
}

function openFile(path: string): CaptureFile {
  try {
    return openCaptureFile(path, (error) => say(`tunstack: the capture ends here, since ${path}: ${error.message}.`))
  } catch (error) {
    throw new CommandError(Exit.failed, `The capture file can't be written (${(error as Error).message}).`)
  }
}

/** All of them or none. */
function openAll({ devices }: ServeSettings, lose: (error: Error) => void): OpenedDevice[] {
  const opened: OpenedDevice[] = []
  try {
    for (const device of devices) {
      const other = devices.find((one) => one !== device && one.netns !== device.netns)
      opened.push(openDevice(device, lose, other === undefined ? [] : routesTo(other, device)))
    }
    return opened
  } catch (error) {
    for (const { link } of opened) link.close()
    throw error
  }
}

/** How the kernel behind one device reaches what is behind the other: by the stack. */
function routesTo(other: DeviceSettings, by: DeviceSettings): { to: string; via: string }[] {
  const routes = [{ to: networkOf(other.ipv4.address), via: bare(by.ipv4.address) }]
  if (other.ipv6 !== null && by.ipv6 !== null)
    routes.push({ to: networkOf(other.ipv6.address), via: bare(by.ipv6.address) })
  return routes
}

function attachAll(stack: NodeStack, devices: OpenedDevice[], { any, impairments }: ServeSettings): WatchedLink[] {
  return devices.map(({ link, settings }, place) => {
    const { name, ipv4, ipv6 } = settings
    const isBad = impairments !== null && place === 0
    const path = isBad ? impairLink(link, impairments, stack.random) : link
    const addresses = ipv6 === null ? [ipv4.address] : [ipv4.address, ipv6.address]
    const watched = new WatchedLink(path)
    stack.addInterface({ link: watched, name, addresses, anyAddress: any })
    return watched
  })
}

function dashboardOf(stack: NodeStack, { dashboard: settings, devices }: ServeSettings, links: readonly WatchedLink[]) {
  if (settings === null) return null
  return dashboard(stack, () => links, settings, networksOf({ devices }))
}

/** Those of the hosts that the devices lead to. */
function networksOf({ devices }: Pick<ServeSettings, 'devices'>): string[] {
  return devices.flatMap(({ ipv4, ipv6 }) => [ipv4.host, ...(ipv6 === null ? [] : [ipv6.host])]).map(networkOf)
}

function announce(devices: readonly OpenedDevice[], settings: ServeSettings): void {
  if (settings.json) tellJson({ pid: process.pid, interfaces: devices.map(factsOf) })
  for (const { link, settings: device } of devices) {
    const { ipv4, ipv6, netns } = device
    const offload = link.device.isSoftwareOffload ? 'software' : link.offload.checksum ? 'on' : 'off'
    const hosts = [ipv4.host, ipv6?.host].filter((one) => one !== undefined).map(bare)
    const addresses = [ipv4.address, ipv6?.address].filter((one) => one !== undefined).map(bare)
    const where = netns === null ? '' : ` in ${netns}`
    say(
      `${styled(link.device.name, 'bold')} is up${where}: the stack is ${addresses.join(' and ')}, the kernel ${hosts.join(' and ')} (MTU ${link.mtu}, offload ${offload}).`,
    )
  }
  say('Try:')
  for (const line of suggestions(devices, settings)) say(`  ${line}`)
  say('Ctrl-C takes it down.')
}

function factsOf({ link, settings: { netns, ipv4, ipv6 } }: OpenedDevice) {
  const { name, queueLength } = link.device
  return { name, netns, mtu: link.mtu, queueLength, offload: link.offload, ipv4, ipv6 }
}

function suggestions(devices: readonly OpenedDevice[], settings: ServeSettings): string[] {
  const [first, second] = devices.map((device) => device.settings)
  const enter = entering(first)
  const address = bare(first.ipv4.address)
  const lines = [...httpSuggestions(enter, address, settings), `${enter}ping ${address}`]
  if (first.ipv6 !== null) lines.push(`${enter}ping ${bare(first.ipv6.address)}`)
  if (settings.services) {
    lines.push(`${enter}bash -c 'echo hello >/dev/udp/${address}/9'    (discarded, and counted)`)
    lines.push(`${enter}iperf3 -c ${address}    (-R: the other way, -u: UDP, -P 8: eight streams, --bidir)`)
    lines.push(`${enter}nc ${address} 7    (every line comes back; -u for UDP)`)
    lines.push(`${enter}nc ${address} 13    (the date)`)
  }
  if (settings.any) {
    const route = `ip route add 198.51.100.0/24 via ${address}`
    lines.push(`${enter}sh -c '${route}; ping 198.51.100.7'    (any address is the stack's)`)
  }
  if (second !== undefined) lines.push(`${enter}traceroute ${bare(second.ipv4.host)}    (the stack is a hop)`)
  return lines
}

function httpSuggestions(enter: string, address: string, { http, dashboard }: ServeSettings): string[] {
  if (http === null) return []
  const base = `http://${address}${http.port === 80 ? '' : `:${http.port}`}`
  const lines = [`${enter}curl ${base}/    (${http.root === null ? 'what you have just done, as a page' : http.root})`]
  if (http.root !== null) lines.push(`${enter}curl ${base}/_tunstack/start    (what you have just done, as a page)`)
  if (dashboard !== null) lines.push(`${base}/_tunstack/    (the dashboard, in a browser)`)
  lines.push(`${enter}curl -N ${base}/_tunstack/events    (TCP's figures of that connection, every second)`)
  return lines
}

/** What stands before a command so that it runs where the device is. */
function entering({ netns }: DeviceSettings): string {
  if (netns !== null) return netns.includes('/') ? `nsenter --net=${netns} ` : `ip netns exec ${netns} `
  return isInside() ? `nsenter -t ${process.pid} -U -n --preserve-credentials ` : ''
}

function sayFarewell(stack: NodeStack, devices: readonly OpenedDevice[]): void {
  const { counts, drops } = stack.counters()
  const dropped = Object.values(drops).reduce((sum, count) => sum + count, 0)
  const names = devices.map(({ link }) => link.device.name).join(' and ')
  say(
    `${names} taken down: ${counts.ipReceived ?? 0} packets received, ${counts.ipSent ?? 0} sent, ${dropped} dropped.`,
  )
}

/** What `npm start` serves: the defaults, and the services. */
export function defaultSettings(): ServeSettings {
  return {
    devices: [readDevice(new Options({}, []))],
    forward: false,
    any: false,
    services: true,
    http: DEFAULT_HTTP,
    dashboard: { allow: null },
    metrics: { allow: null },
    capture: null,
    impairments: null,
    json: false,
  }
}

/** Whether serving failed because this machine lacks something, not because of what was asked. */
export function isForWant(error: unknown): error is Error {
  return error instanceof Error && exitCodeOf(error) === Exit.missing
}
