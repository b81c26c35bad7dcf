// What tests of TUN devices on a real kernel share: a namespace and the devices opened in it, for one test and gone after it;
// programs that use the built library in a process of their own; and a bare echo responder over a device.
import { afterEach, beforeEach, expect } from 'vitest'
import { PacketBatch } from '../../src/core/batch.ts'
import { openTun, type TunDevice, type TunError, type TunOptions } from '../../src/node/tun-device.ts'
import { answerEchoes } from './device-packets.ts'
import { createNamespace, exec, type Namespace } from './namespace.ts'
import { unanswered } from './ping.ts'

/** The library as it is published, for processes and workers, which read no TypeScript. */
export const BUILT = new URL('../../dist/node/tun-device.js', import.meta.url)

export interface LinkFacts {
  ifname: string
  mtu: number
  txqlen: number
  flags: string[]
}

export class Devices {
  namespace: Namespace = null as unknown as Namespace
  #open: TunDevice[] = []

  /** In a `describe`: each test has a namespace and devices of its own. */
  static forEachTest(): Devices {
    const devices = new Devices()
    beforeEach(() => {
      devices.namespace = createNamespace()
      devices.#open = []
    })
    afterEach(async () => {
      for (const device of devices.#open) device.close()
      await devices.namespace.dispose()
    })
    return devices
  }

  open(options: TunOptions = {}): TunDevice {
    const opened = openTun({ netns: this.namespace.name, address: '10.7.0.1/24', ...options })
    this.#open.push(opened)
    return opened
  }

  async ip(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await exec('ip', ['-netns', this.namespace.name, ...args])
    if (code !== 0) throw new Error(stderr)
    return stdout
  }

  async links(): Promise<LinkFacts[]> {
    const links = JSON.parse(await this.ip('-json', 'link')) as LinkFacts[]
    return links.filter(({ ifname }) => ifname !== 'lo')
  }

  async expectEchoes(device: TunDevice, ...options: string[]): Promise<void> {
    const batch = batchFor(device)
    device.watch(() => {
      device.receive(batch)
      answerEchoes(batch)
      device.transmit(batch)
    })
    expect(await unanswered(this.namespace, '-c', '50', '-i', '0.002', '-W', '1', ...options, '10.7.0.2')).toBe(0)
  }

  /** Runs a program in the namespace, where /dev/net/tun has that mode, or is missing where there is none. */
  runThere(mode: string, program: string): Promise<string> {
    const device = mode === '' ? '' : `mknod -m ${mode} /dev/net/tun c 10 200 && `
    const shell = `mount -t tmpfs none /dev/net && ${device}exec "$0" "$@"`
    return run(['ip', 'netns', 'exec', this.namespace.name, 'sh', '-c', shell, process.execPath], program)
  }
}

export function batchFor(device: TunDevice, longest?: number): PacketBatch {
  return new PacketBatch({ headroom: device.headroom, largest: device.largest, longest })
}

/** Runs a program in a process of its own, and gives what it threw or printed; a crash shows as its exit code. */
export async function run(command: string[], program: string): Promise<string> {
  const script = `try { ${program} } catch (error) { console.log(error.code, error.message) }`
  const [first, ...rest] = command
  const { code, stdout, stderr } = await exec(first, [...rest, '--input-type=module', '-e', script])
  return code === 0 ? stdout.trim() : `exit code ${code}: ${stderr}`
}

export function faultOf(act: () => unknown): TunError {
  try {
    act()
  } catch (error) {
    return error as TunError
  }
  throw new Error('nothing was thrown')
}
