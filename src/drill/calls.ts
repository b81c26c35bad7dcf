// The system calls of a script: arguments are read, descriptors found, and the rest is the socket's. A call is an attempt that says null for
// as long as it would block; drill/runner tries again whenever something has happened.
import { DatagramSocket } from './datagram-socket.ts'
import { type CallSpec, Unsupported, type Value } from './script.ts'
import type { Like } from './setup.ts'
import { type Attempt, done, failed, type Outcome, type Socket } from './socket.ts'
import { StreamSocket } from './stream-socket.ts'
import { describeValue, namesOf, numberOf } from './values.ts'
import type { World } from './world.ts'

const FIRST_DESCRIPTOR = 3
const O_RDWR = 2
const NONBLOCK: Readonly<Record<Like, number>> = { linux: 0x800, freebsd: 4 }
const SYMBOLS = { INADDR_ANY: 0, INADDR_LOOPBACK: 0x7f000001 }
const POLL_EVENTS = ['POLLIN', 'POLLPRI', 'POLLOUT', 'POLLERR', 'POLLHUP', 'POLLRDHUP']

type Call = (args: readonly Value[], call: CallSpec) => Attempt

export class Calls {
  readonly #world: World
  readonly #sockets = new Map<number, Socket>()
  readonly #calls: Readonly<Record<string, Call>>
  /** Whose figures assertions are about: the socket that was made last. */
  latest: Socket | null = null

  constructor(world: World) {
    this.#world = world
    this.#calls = {
      socket: (args, call) => this.#once(() => this.#socket(args, call)),
      bind: (args) => this.#once(() => this.#of(args).bind(...this.#address(args[1], 'bind'))),
      listen: (args) => this.#once(() => this.#of(args).listen(numberOf(args[1]) ?? 0)),
      connect: (args) => this.#of(args).connect(...this.#address(args[1], 'connect')),
      accept: (args, call) => this.#accept(args, call),
      accept4: (args, call) => this.#accept(args, call),
      read: (args) => this.#read(args, numberOf(args[2]), new Set()),
      recv: (args) => this.#read(args, numberOf(args[2]), namesOf(args[3])),
      recvfrom: (args) => this.#read(args, numberOf(args[2]), namesOf(args[3])),
      readv: (args) => this.#read(args, vectorLength(args[1]), new Set()),
      recvmsg: (args) => this.#read(args, messageLength(args[1]), namesOf(args[2])),
      write: (args) => this.#of(args).write(numberOf(args[2]) ?? 0, new Set(), null),
      writev: (args) => this.#of(args).write(vectorLength(args[1]), new Set(), null),
      send: (args) => this.#of(args).write(numberOf(args[2]) ?? 0, namesOf(args[3]), null),
      sendmsg: (args) => this.#of(args).write(messageLength(args[1]), namesOf(args[2]), null),
      sendto: (args) => this.#of(args).write(numberOf(args[2]) ?? 0, namesOf(args[3]), this.#destination(args[4])),
      shutdown: (args) => this.#once(() => this.#of(args).shutdown(howOf(args[1]))),
      close: (args) => this.#close(args),
      fcntl: (args) => this.#once(() => this.#control(args)),
      ioctl: (args) => this.#once(() => this.#ioctl(args)),
      getsockopt: (args) => this.#once(() => this.#getOption(args)),
      setsockopt: (args) =>
        this.#once(() => this.#of(args).setOption(describeValue(args[1]), describeValue(args[2]), args[3])),
      poll: (args) => this.#poll(args),
    }
  }

  begin(call: CallSpec): Attempt {
    const begin = Object.hasOwn(this.#calls, call.name) ? this.#calls[call.name] : undefined
    if (begin === undefined) throw new Unsupported(`the system call ${call.name} is not known`)
    // Arguments that are left out are `...`.
    const args = [...call.args, ...MISSING.slice(call.args.length)]
    let attempt: Attempt | null = null
    return () => {
      try {
        attempt ??= begin(args, call)
        return attempt()
      } catch (error) {
        if (error instanceof BadDescriptor) return failed('EBADF')
        throw error
      }
    }
  }

  #once(run: () => Outcome): Attempt {
    let outcome: Outcome | null = null
    return () => (outcome ??= run())
  }

  #of(args: readonly Value[]): Socket {
    const socket = this.#sockets.get(numberOf(args[0]) ?? -1)
    if (socket === undefined) throw new BadDescriptor()
    return socket
  }

  #socket(args: readonly Value[], call: CallSpec): Outcome {
    const { setup } = this.#world
    const domain = namesOf(args[0])
    const isIpv6 = domain.size === 0 ? setup.isIpv6 || setup.isMapped : domain.has('AF_INET6') || domain.has('PF_INET6')
    const kind = namesOf(args[1])
    if (!kind.has('SOCK_STREAM') && !kind.has('SOCK_DGRAM')) {
      throw new Unsupported(`there are no sockets of ${describeValue(args[1])}`)
    }
    const socket = kind.has('SOCK_STREAM')
      ? new StreamSocket(this.#world, isIpv6)
      : new DatagramSocket(this.#world, isIpv6)
    socket.isNonBlocking = kind.has('SOCK_NONBLOCK')
    return done(this.#add(socket, call))
  }

  /** The number that the script says, which is a name for it and no more. */
  #add(socket: Socket, { result }: CallSpec): number {
    let number = numberOf(result) ?? -1
    if (number < 0) for (number = FIRST_DESCRIPTOR; this.#sockets.has(number); ) number++
    this.#sockets.set(number, socket)
    this.latest = socket
    return number
  }

  #accept(args: readonly Value[], call: CallSpec): Attempt {
    const listening = this.#of(args)
    return () => {
      const socket = listening.accept()
      if (socket !== null) {
        socket.isNonBlocking = namesOf(args[3]).has('SOCK_NONBLOCK')
        return done(this.#add(socket, call))
      }
      if (!(listening instanceof StreamSocket) || !listening.mayAccept) return failed('EINVAL')
      return listening.isNonBlocking ? failed('EAGAIN') : null
    }
  }

  #read(args: readonly Value[], length: number | null, flags: ReadonlySet<string>): Attempt {
    const socket = this.#of(args)
    return () => socket.read(length ?? 0, flags) ?? (socket.isNonBlocking ? failed('EAGAIN') : null)
  }

  #close(args: readonly Value[]): Attempt {
    const socket = this.#of(args)
    this.#sockets.delete(numberOf(args[0]) ?? -1)
    return socket.close()
  }

  #control(args: readonly Value[]): Outcome {
    const socket = this.#of(args)
    const { like } = this.#world.setup
    const command = describeValue(args[1])
    if (command === 'F_GETFL') return done(O_RDWR | (socket.isNonBlocking ? NONBLOCK[like] : 0))
    if (command !== 'F_SETFL') throw new Unsupported(`fcntl ${command} is not known`)
    const number = numberOf(args[2], { O_RDWR, O_NONBLOCK: NONBLOCK[like], O_NDELAY: NONBLOCK[like] })
    if (number === null) throw new Unsupported(`fcntl can't set ${describeValue(args[2])}`)
    socket.isNonBlocking = (number & NONBLOCK[like]) !== 0
    return done()
  }

  #ioctl(args: readonly Value[]): Outcome {
    const socket = this.#of(args)
    const request = describeValue(args[1])
    if (request === 'FIONBIO') {
      socket.isNonBlocking = numberOf(first(args[2])) !== 0
      return done()
    }
    return { ...done(), filled: [{ what: request, expected: first(args[2]), got: socket.control(request) }] }
  }

  #getOption(args: readonly Value[]): Outcome {
    const name = describeValue(args[2])
    const got = this.#of(args).getOption(describeValue(args[1]), name)
    return { ...done(), filled: [{ what: name, expected: first(args[3]), got }] }
  }

  #poll(args: readonly Value[]): Attempt {
    const list = args[0].kind === 'list' ? args[0].items : []
    const timeout = numberOf(args[2]) ?? 0
    const end = timeout < 0 ? Number.POSITIVE_INFINITY : this.#world.now + timeout * 1000
    const asked = list.map((one) => {
      if (one.kind !== 'struct') throw new Unsupported('poll needs {fd=, events=, revents=}')
      const [fd, events, revents] = ['fd', 'events', 'revents'].map((name) => one.fields.get(name))
      return { socket: this.#sockets.get(numberOf(fd) ?? -1), events: namesOf(events), expected: revents }
    })
    return () => {
      const filled = asked.map(({ socket, events, expected }) => {
        const ready = socket?.readiness() ?? new Set(['POLLNVAL'])
        const told = [...ready].filter((name) => events.has(name) || name === 'POLLERR' || name === 'POLLHUP')
        return { what: 'revents', expected: sorted(expected), got: inOrder(told) }
      })
      const count = filled.filter(({ got }) => got !== '0').length
      return count > 0 || this.#world.now >= end ? { ...done(count), filled } : null
    }
  }

  /** `...` is the script's own address and port. */
  #address(value: Value | undefined, call: 'bind' | 'connect'): [string | null, number] {
    const { bindPort, connectPort } = this.#world.setup
    const port = call === 'bind' ? bindPort : connectPort
    if (value === undefined || value.kind !== 'struct') return [null, port]
    const host = value.fields.get('sin_addr') ?? value.fields.get('sin6_addr')
    const written = numberOf(value.fields.get('sin_port') ?? value.fields.get('sin6_port'))
    return [hostOf(host), written ?? port]
  }

  #destination(value: Value | undefined): { address: string | null; port: number } | null {
    if (value === undefined || value.kind !== 'struct') return null
    const [address, port] = this.#address(value, 'connect')
    return { address, port }
  }
}

const MISSING: readonly Value[] = new Array(6).fill({ kind: 'any' })

class BadDescriptor extends Error {}

function first(value: Value | undefined): Value | undefined {
  return value?.kind === 'list' ? value.items[0] : value
}

/** `inet_addr("192.0.2.1")`, `INADDR_ANY`. */
function hostOf(value: Value | undefined): string | null {
  if (value?.kind === 'apply') {
    const text = value.args.find(({ kind }) => kind === 'text')
    if (text?.kind === 'text') return text.text
    return hostOf(value.args[0])
  }
  if (value?.kind === 'text') return value.text
  const number = numberOf(value, SYMBOLS)
  if (number === null) return null
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.')
}

function howOf(value: Value | undefined): string {
  const number = numberOf(value)
  return number === null ? describeValue(value as Value) : (['SHUT_RD', 'SHUT_WR', 'SHUT_RDWR'][number] ?? 'SHUT_RDWR')
}

/** The octets of `[{..., 1000}, {..., 500}]`. */
function vectorLength(value: Value | undefined): number {
  if (value?.kind !== 'list') throw new Unsupported('this needs [{..., length}]')
  let total = 0
  for (const item of value.items) {
    if (item.kind !== 'struct') throw new Unsupported('this needs [{..., length}]')
    total += numberOf(item.fields.get('iov_len') ?? item.fields.get('1')) ?? 0
  }
  return total
}

function messageLength(value: Value | undefined): number {
  if (value?.kind !== 'struct') throw new Unsupported('this needs {msg_iov=…}')
  return vectorLength(value.fields.get('msg_iov'))
}

function inOrder(names: readonly string[]): string {
  return POLL_EVENTS.filter((name) => names.includes(name)).join('|') || '0'
}

function sorted(value: Value | undefined): Value | undefined {
  if (value === undefined || value.kind === 'any') return undefined
  return { kind: 'text', text: inOrder([...namesOf(value)]) }
}
