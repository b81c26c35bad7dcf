// Where both sides stand for one setting: a TUN device in a namespace of its own, and two namespaces joined by a pair of veth devices.
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createNamespace, exec, type Namespace, privileged } from '../../test/support/namespace.ts'
import { CannotMeasure } from '../prove/claim.ts'
import { project } from '../prove/project.ts'
import type { Setting } from './setting.ts'
import { type Kind, Side } from './side.ts'

const HERE = '10.9.0.1'
const THERE = '10.9.0.2'
/** Ports enough for tens of thousands of connections a second: all of them, and again after a second (RFC 6191). */
const SYSCTLS = [
  'net.ipv4.ip_local_port_range=1024 65535',
  'net.ipv4.tcp_tw_reuse=1',
  'net.core.somaxconn=4096',
  'net.ipv4.tcp_max_syn_backlog=4096',
  // What a path has taught is no part of the next run.
  'net.ipv4.tcp_no_metrics_save=1',
]

export class Ground {
  readonly setting: Setting
  readonly sides: Record<Kind, Side>
  readonly #namespaces: Namespace[]

  private constructor(setting: Setting, sides: Record<Kind, Side>, namespaces: Namespace[]) {
    this.setting = setting
    this.sides = sides
    this.#namespaces = namespaces
  }

  static async make(setting: Setting): Promise<Ground> {
    const { granted, reason } = privileged()
    if (!granted) throw new CannotMeasure(reason)
    if (!existsSync(new URL('dist/index.js', project))) throw new CannotMeasure('the project is not built: npm install')
    if (availableParallelism() < 2) throw new CannotMeasure('client and server need a processor each, and there is one')
    const namespaces = [createNamespace(), createNamespace(), createNamespace()]
    const [device, kernel, client] = namespaces
    try {
      for (const namespace of namespaces) await run(namespace, 'sysctl', ['-q', '-w', ...SYSCTLS])
      await join(kernel, client, setting)
      const ours = await Side.start('ours', setting, device, null)
      await control(device, 'tun0', '10.7.0.0/24', '10.7.0.1', setting)
      return new Ground(setting, { ours, kernel: await Side.start('kernel', setting, client, kernel) }, namespaces)
    } catch (error) {
      for (const namespace of namespaces) await namespace.dispose()
      throw error
    }
  }

  async dispose(): Promise<void> {
    for (const namespace of this.#namespaces) await namespace.dispose()
  }
}

async function join(kernel: Namespace, client: Namespace, setting: Setting): Promise<void> {
  const { mtu, offload, loss } = setting
  const pair = `link add veth0 mtu ${mtu} netns ${kernel.name} type veth peer name veth0 mtu ${mtu} netns ${client.name}`
  await ip(pair.split(' '))
  for (const [namespace, address] of [
    [kernel, THERE],
    [client, HERE],
  ] as const) {
    await ip(['-n', namespace.name, 'addr', 'add', `${address}/24`, 'dev', 'veth0'])
    await ip(['-n', namespace.name, 'link', 'set', 'veth0', 'up'])
    if (offload !== 'on') await run(namespace, 'ethtool', ['-K', 'veth0', 'tso', 'off', 'gso', 'off', 'gro', 'off'])
    if (loss > 0) await run(namespace, 'nft', [dropping(loss)])
    await control(namespace, 'veth0', '10.9.0.0/24', address, setting)
  }
}

/** What the impairment link does for ours: a part of what arrives is dropped, each packet by chance. */
function dropping(loss: number): string {
  const [part, whole] = [Math.round(loss * 100_000), 100_000]
  return [
    'table netdev wire {',
    'chain losses {',
    'type filter hook ingress device veth0 priority 0;',
    `numgen random mod ${whole} < ${part} drop;`,
    '}',
    '}',
  ].join('\n')
}

/** The controller of all the kernel's connections by this route. */
async function control(namespace: Namespace, device: string, network: string, source: string, { congestion }: Setting) {
  const route = ['route', 'replace', network, 'dev', device, 'proto', 'kernel', 'scope', 'link', 'src', source]
  await ip(['-n', namespace.name, ...route, 'congctl', congestion])
}

async function ip(args: string[]): Promise<void> {
  const { code, stderr } = await exec('ip', args)
  if (code !== 0) throw new CannotMeasure(`ip ${args.join(' ')}: ${stderr.trim()}`)
}

async function run(namespace: Namespace, command: string, args: string[]): Promise<void> {
  const { code, stderr } = await namespace.exec(command, args)
  if (code !== 0) throw new CannotMeasure(`${command} ${args.join(' ')}: ${stderr.trim()}`)
}
