// `tunstack capture`: the packets of a running `tunstack serve`, over its control socket, as pcapng: to a file, or to standard output for
// Wireshark.
import { closeSync, openSync, writeSync } from 'node:fs'
import type { CAC } from 'cac'
import { captureRemotely, findControls, type RemoteCapture } from '../index.ts'
import { Options } from './options.ts'
import { CommandError, Exit, say, usageError } from './output.ts'
import { untilSignal } from './signals.ts'

const LONGEST_PACKET = 262_144
const MOST_PACKETS = 1_000_000_000
const LONGEST_TIME = 1_000_000

export function addCapture(cli: CAC): void {
  cli
    .command('capture [file]', 'Captures the packets of a running "tunstack serve", until a signal')
    .option('--snaplen <octets>', 'Octets of each packet that are kept')
    .option('--interface <name>', 'Of that interface alone (may be given several times)')
    .option('--count <packets>', 'Ends after so many packets')
    .option('--seconds <seconds>', 'Ends after so many seconds')
    .option('--no-comments', 'Without what only the stack knows of each packet')
    .option('--no-secrets', 'Without the secrets of TLS')
    .option('--pid <pid>', 'Of that process; needed where several run')
    .example('  $ tunstack capture tun0.pcapng')
    .example('  $ tunstack capture - | wireshark -k -i -')
    .example('  $ tunstack capture - --count 100 | tshark -r - -T fields -e frame.number -e frame.comment')
    .action((file: string | undefined, given: Record<string, unknown>) => captureUntilTold(file, new Options(given)))
}

async function captureUntilTold(file: string | undefined, options: Options): Promise<number> {
  const wish = {
    snapLength: options.integer('snaplen', LONGEST_PACKET, 1, LONGEST_PACKET),
    comments: !options.isOff('comments'),
    secrets: !options.isOff('secrets'),
    interfaces: options.texts('interface').length === 0 ? undefined : options.texts('interface'),
  }
  const most = options.integer('count', Number.POSITIVE_INFINITY, 1, MOST_PACKETS)
  const seconds = options.integer('seconds', 0, 1, LONGEST_TIME)
  if (file === undefined && process.stdout.isTTY)
    throw usageError('Name a file, or pipe this into something: "| wireshark -k -i -".')
  const path = await controlOf(options)
  const told = untilSignal()
  const outlet = file === undefined || file === '-' ? toOutput() : toFile(file)
  let packets = 0
  let running: RemoteCapture | null = null
  try {
    const capture = await captureRemotely(path, wish, (block, isPacket) => {
      if (packets >= most) return
      if (!outlet.write(block))
        outlet.resumed(
          () => running?.resume(),
          () => running?.pause(),
        )
      if (isPacket && ++packets >= most) queueMicrotask(() => running?.stop())
    })
    running = capture
    if (packets >= most) capture.stop()
    const timer = seconds === 0 ? undefined : setTimeout(capture.stop, seconds * 1000)
    await Promise.race([told, capture.over])
    clearTimeout(timer)
    capture.stop()
  } catch (error) {
    throw new CommandError(Exit.failed, `It can't be captured (${error instanceof Error ? error.message : error}).`)
  } finally {
    outlet.close()
  }
  say(`${packets} ${packets === 1 ? 'packet' : 'packets'} captured.`)
  return Exit.done
}

interface Outlet {
  /** False where nothing more should come for now. */
  write(block: Uint8Array): boolean
  resumed(resume: () => void, pause: () => void): void
  close(): void
}

function toFile(path: string): Outlet {
  let descriptor: number
  try {
    descriptor = openSync(path, 'w')
  } catch (error) {
    throw new CommandError(Exit.failed, `The capture file can't be written (${(error as Error).message}).`)
  }
  return {
    write(block) {
      for (let written = 0; written < block.length; ) written += writeSync(descriptor, block, written)
      return true
    },
    resumed() {},
    close: () => closeSync(descriptor),
  }
}

function toOutput(): Outlet {
  return {
    write: (block) => process.stdout.write(block),
    resumed(resume, pause) {
      pause()
      process.stdout.once('drain', resume)
    },
    close() {},
  }
}

async function controlOf(options: Options): Promise<string> {
  const pid = options.text('pid') === null ? null : options.integer('pid', 0, 1, 2 ** 31)
  const controls = await findControls()
  const chosen = [...controls].filter(([one]) => pid === null || one === pid)
  if (chosen.length > 1) {
    throw usageError(`Several run: say which by --pid: ${chosen.map(([one]) => one).join(', ')}.`)
  }
  if (chosen.length === 0) {
    const what =
      pid === null ? 'No "tunstack serve" of yours runs here' : `Process ${pid} is no "tunstack serve" of yours`
    throw new CommandError(Exit.missing, `${what}: start one, or run this as the user who did.`)
  }
  return chosen[0][1]
}
