// `tunstack get`: an HTTP client on a stack of its own, over a TUN device to whatever the kernel reaches, or with --memory to a server
// on a second stack in this process, so that both ends are ours. With -v it tells what TCP did.
import type { CAC, Command } from 'cac'
import {
  type CaptureFile,
  createHttpClient,
  createHttpServer,
  createStack,
  Files,
  type HttpClient,
  HttpError,
  type Link,
  memory,
  type NodeStack,
  openCaptureFile,
  site,
} from '../index.ts'
import { addDeviceOptions, bare, openDevice, readDevice } from './device.ts'
import { type Asking, type Fetched, Fetching } from './fetching.ts'
import { addImpairmentOptions, impairLink, readImpairments } from './impair.ts'
import { Options } from './options.ts'
import { CommandError, Exit, say, tellJson, usageError } from './output.ts'
import { untilSignal } from './signals.ts'

const MOST_TIMES = 1_000_000
const MOST_REDIRECTS = 20
const LAST_WORDS = 500
const LOOK_AGAIN = 5

export function addGet(cli: CAC): void {
  addImpairmentOptions(
    addDeviceOptions(addOptions(cli.command('get <url>', 'Asks a server over HTTP, from the stack'))),
  )
    .example('  $ tunstack get http://10.7.0.1:8080/')
    .example('  $ tunstack get -v --memory http://10.7.0.2/        (both ends in this process; no root)')
    .example('  $ tunstack get -I --repeat 3 http://[fd00:7::1]/')
    .example("  $ tunstack get --data '{}' -H 'Content-Type: application/json' http://10.7.0.1/")
    .example('  $ tunstack get -v -o big --memory --root . --impair loss=0.02 http://10.7.0.2/big')
    .action((url: string, given: Record<string, unknown>) => getCommand(url, new Options(given)))
}

function addOptions(command: Command): Command {
  return command
    .option('-H, --header <line>', "A header field, 'Name: value'; as often as wished")
    .option('-I, --head', 'Asks for the head alone, and prints it')
    .option('-i, --include', 'Prints the head before the body')
    .option('-X, --request <method>', 'Another method than GET, or POST with --data')
    .option(
      '-d, --data <text>',
      'Sends that as the body; @FILE: what is in the file, @-: what comes on stdin, as it comes',
    )
    .option('-r, --range <range>', 'A part of the resource: 0-99, 100-, -100')
    .option('-o, --output <file>', 'Writes the body there')
    .option('-L, --location', `Follows up to ${MOST_REDIRECTS} redirects`)
    .option('-f, --fail', 'A status of 400 or more is a failure (exit code 1), and its body is not printed')
    .option('-v, --verbose', 'Tells on stderr what was said, and what TCP did')
    .option('--repeat <number>', 'Asks so many times', { default: 1 })
    .option('--no-keep-alive', 'Each on a connection of its own')
    .option('--timeout <ms>', 'Without a word from the server', { default: 60_000 })
    .option('--connect-to <address>', "Connects there, whatever the URL's host is")
    .option(
      '--memory',
      'A server on a second stack in this process, at 10.7.0.2 and fd00:7::2, in the place of a TUN device',
    )
    .option('--root <dir>', 'With --memory: the files that it serves')
    .option('--capture <file>', 'Writes every packet to a pcapng file')
    .option('--json', 'Prints what happened as JSON, in the place of the bodies')
}

async function getCommand(url: string, options: Options): Promise<number> {
  const asking = readAsking(url, options)
  const to = options.text('connect-to')
  const timeout = options.integer('timeout', 60_000, 1, 3_600_000)
  const isInMemory = options.flag('memory')
  if (options.text('root') !== null && !isInMemory) throw usageError('--root is of use with --memory only.')
  const stack = await createStack()
  const letGo = stack.hold()
  let client: HttpClient | null = null
  let closePath = () => {}
  try {
    closePath = await (isInMemory ? attachMemory(stack, options) : attachDevice(stack, options))
    client = createHttpClient(stack, {
      keepAlive: !options.isOff('keepAlive'),
      limits: { silence: timeout, connectTimeout: Math.min(timeout, 10_000) },
      resolve: (name) => to ?? unknown(name),
    })
    const fetching = new Fetching(client, asking)
    const told = untilSignal().then((): never => {
      throw new CommandError(Exit.failed, 'Stopped.')
    })
    const fetched = await Promise.race([fetching.all(), told])
    client.close()
    await farewell(stack)
    if (asking.isJson) tellJson(fetched)
    return asking.fails && fetched.some(isFailure) ? Exit.failed : Exit.done
  } catch (error) {
    if (error instanceof HttpError) throw new CommandError(Exit.failed, `${asking.url}: ${error.message}`)
    throw error instanceof TypeError ? usageError(`${error.message}.`) : error
  } finally {
    client?.close()
    // An answer may come before all of it is read.
    if (asking.data === '@-') process.stdin.destroy()
    letGo()
    stack.close()
    closePath()
  }
}

/** Both ends have finished: with the process our words end, too. */
async function farewell(stack: NodeStack): Promise<void> {
  for (let waited = 0; waited < LAST_WORDS && stack.core.tcp.connectionCount > 0; waited += LOOK_AGAIN)
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN))
}

function isFailure({ status }: Fetched): boolean {
  return status >= 400
}

function unknown(name: string): never {
  throw usageError(`The stack asks nobody about names: give the address of "${name}" with --connect-to.`)
}

function readAsking(url: string, options: Options): Asking {
  const headers = options.texts('header', 'H').map((line): [string, string] => {
    const place = line.indexOf(':')
    if (place <= 0) throw usageError(`A header field is 'Name: value', and this is "${line}".`)
    return [line.slice(0, place), line.slice(place + 1).trim()]
  })
  const range = options.text('range', 'r')
  if (range !== null) headers.push(['Range', `bytes=${range}`])
  const data = options.text('data', 'd')
  const isHead = options.flag('head')
  if (isHead && data !== null) throw usageError('--head and --data exclude each other.')
  const asking: Asking = {
    url: withScheme(url),
    method: options.text('request', 'X') ?? (isHead ? 'HEAD' : data === null ? 'GET' : 'POST'),
    headers,
    data,
    output: options.text('output', 'o'),
    redirects: options.flag('location') ? MOST_REDIRECTS : 0,
    times: options.integer('repeat', 1, 1, MOST_TIMES),
    showsHead: isHead || options.flag('include'),
    fails: options.flag('fail'),
    isVerbose: options.flag('verbose'),
    isJson: options.flag('json'),
  }
  if (data === '@-' && asking.times > 1)
    throw usageError('What comes on stdin can be sent once, and --repeat wants more.')
  return asking
}

/** As curl, `10.7.0.1/x` means http. */
function withScheme(text: string): string {
  const whole = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(whole) || new URL(whole).protocol !== 'http:') throw usageError(`"${text}" is no address of http.`)
  return new URL(whole).href
}

/** Returns what closes it again, after the stack. */
async function attachDevice(stack: NodeStack, options: Options): Promise<() => void> {
  const given = readDevice(options)
  // A super-segment would be lost, held or dropped as one packet.
  const isWhole = readImpairments(options) !== null && options.text('offload') !== 'on'
  const device = isWhole ? { ...given, offload: false } : given
  const { link, settings } = openDevice(device, (error) => say(`tunstack: ${error.message}`))
  const { ipv4, ipv6 } = settings
  const path = new Path(link, device.name, stack, options)
  stack.addInterface({
    link: path.link,
    name: device.name,
    addresses: ipv6 === null ? [ipv4.address] : [ipv4.address, ipv6.address],
    gateways: ipv6 === null ? [bare(ipv4.host)] : [bare(ipv4.host), bare(ipv6.host)],
  })
  return path.close
}

async function attachMemory(stack: NodeStack, options: Options): Promise<() => void> {
  const root = options.text('root')
  const files = root === null ? null : await Files.open(root, { listing: true })
  const other = await createStack()
  const server = createHttpServer(site({ stack: other, server: () => server, files: files?.handle ?? null }))
  server.listen(other, { port: 80 })
  const [near, far] = memory({ mtu: options.integer('mtu', 1500, 1280, 65_535) })
  other.addInterface({ link: far, addresses: ['10.7.0.2/24', 'fd00:7::2/64'] })
  const path = new Path(near, 'memory', stack, options)
  stack.addInterface({ link: path.link, name: 'memory', addresses: ['10.7.0.1/24', 'fd00:7::1/64'] })
  return () => {
    other.close()
    path.close()
  }
}

/** A link as bad as wished, and captured where that is wished. */
class Path {
  readonly link: Link
  readonly #file: CaptureFile | null

  constructor(link: Link, name: string, stack: NodeStack, options: Options) {
    const plan = readImpairments(options)
    const path = plan === null ? link : impairLink(link, plan, stack.random)
    const file = options.text('capture')
    this.#file = file === null ? null : openCaptureFile(file, ({ message }) => say(`tunstack: ${file}: ${message}.`))
    if (this.#file !== null) stack.capture(this.#file.write, { interfaces: [name] })
    this.link = path
  }

  close = (): void => this.#file?.close()
}
