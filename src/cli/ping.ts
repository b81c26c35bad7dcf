// `tunstack ping`: the stack's own echo requests, over a TUN device that is there for as long.
import type { CAC } from 'cac'
import { createStack, type NodeStack, type PingReply, parseAddress } from '../index.ts'
import { addDeviceOptions, bare, openDevice, readDevice } from './device.ts'
import { Options } from './options.ts'
import { Exit, say, tell, tellJson, usageError } from './output.ts'
import { untilSignal } from './signals.ts'

export function addPing(cli: CAC): void {
  const command = cli
    .command('ping [address]', "Pings from the stack, by default the kernel's end of the device")
    .option('--count <number>', 'Requests to send', { default: 4 })
    .option('--interval <ms>', 'Milliseconds between them', { default: 1000 })
    .option('--size <octets>', 'Octets of data in each', { default: 56 })
    .option('--timeout <ms>', 'Milliseconds to wait for a reply', { default: 1000 })
    .option('--ttl <hops>', 'Routers that it may pass', { default: 64 })
    .option('--json', 'Prints the replies as JSON')
  addDeviceOptions(command)
    .example('  $ tunstack ping')
    .example('  $ tunstack ping fd00:7::1 --count 10 --interval 100 --size 1400')
    .action((address: string | undefined, given: Record<string, unknown>) => pingCommand(address, new Options(given)))
}

interface Plan {
  readonly target: string
  readonly count: number
  readonly interval: number
  readonly options: { size: number; timeout: number; hopLimit: number }
}

async function pingCommand(address: string | undefined, options: Options): Promise<number> {
  const device = readDevice(options)
  const plan = {
    target: address ?? bare(device.ipv4.host),
    count: options.integer('count', 4, 1, 1_000_000),
    interval: options.integer('interval', 1000, 0, 3_600_000),
    options: {
      size: options.integer('size', 56, 0, 65_507),
      timeout: options.integer('timeout', 1000, 1, 3_600_000),
      hopLimit: options.integer('ttl', 64, 1, 255),
    },
  }
  if (parseAddress(plan.target) === null) throw usageError(`"${plan.target}" is not an IP address.`)
  const isJson = options.flag('json')
  const stack = await createStack()
  try {
    const { link, settings } = openDevice(device, (error) => say(`tunstack: ${error.message}`))
    const { ipv4, ipv6 } = settings
    // What is beyond the kernel is reached by it, where it forwards.
    stack.addInterface({
      link,
      name: device.name,
      addresses: ipv6 === null ? [ipv4.address] : [ipv4.address, ipv6.address],
      gateways: ipv6 === null ? [bare(ipv4.host)] : [bare(ipv4.host), bare(ipv6.host)],
    })
    const replies = await pingAll(stack, plan, isJson ? () => {} : (reply) => tell(describe(reply, plan)))
    const answered = replies.filter(({ result }) => result === 'reply')
    if (isJson) tellJson({ target: plan.target, sent: replies.length, answered: answered.length, replies })
    else tell(`${replies.length} sent, ${answered.length} answered${timesOf(answered)}`)
    return answered.length > 0 ? Exit.done : Exit.failed
  } finally {
    stack.close()
  }
}

/** One after another, until all are answered or a signal comes. */
async function pingAll(stack: NodeStack, plan: Plan, show: (reply: PingReply) => void): Promise<PingReply[]> {
  const replies: PingReply[] = []
  let isStopped = false
  const stopped = untilSignal().then(() => {
    isStopped = true
  })
  const pending: Promise<void>[] = []
  for (let sent = 0; sent < plan.count && !isStopped; sent++) {
    if (sent > 0) await Promise.race([pause(plan.interval), stopped])
    if (isStopped) break
    pending.push(
      stack.ping(plan.target, plan.options).then((reply) => {
        replies.push(reply)
        show(reply)
      }),
    )
  }
  await Promise.race([Promise.all(pending), stopped])
  return replies
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function describe(reply: PingReply, { target, options }: Plan): string {
  const { sequence, result, from, time, hopLimit, isIntact } = reply
  if (result === 'timeout') return `${target}: no answer to ${sequence} within ${options.timeout} ms`
  if (result === 'noRoute') return `${target}: no route leads there`
  const words = result.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  if (result !== 'reply') return `${from}: ${words} about ${sequence}`
  const damage = isIntact ? '' : ', which are not those that were sent'
  return `${from}: ${sequence} answered in ${time.toFixed(2)} ms, hop limit ${hopLimit}, ${options.size} octets${damage}`
}

function timesOf(answered: readonly PingReply[]): string {
  if (answered.length === 0) return ''
  const times = answered.map(({ time }) => time)
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length
  return `, round trip least ${Math.min(...times).toFixed(2)}, mean ${mean.toFixed(2)}, most ${Math.max(...times).toFixed(2)} ms`
}
