// A stack in Node: the portable one on the system's clock, randomness and timer, and its part in keeping a process alive.
// An open endpoint (unless it is unref'd) and a ping under way hold the process, as they would with the kernel's stack.
import type { Environment } from '../core/environment.ts'
import type { Interface } from '../core/ip/interface.ts'
import { type ConnectionsOptions, connections, type SocketView } from '../inspect/connections.ts'
import { TappedLink } from '../link/capture.ts'
import type { PcapngSink } from '../link/pcapng.ts'
import { type InterfaceOptions, PortableStack, type PortableStackOptions } from '../runtime/create-stack.ts'
import type { Driver, DriverHooks } from '../runtime/driver.ts'
import type { PingOptions, PingReply } from '../runtime/ping.ts'
import { UdpEndpoint } from '../runtime/udp-endpoint.ts'
import { type StreamSockets, streamSockets } from '../web/stream-sockets.ts'
import { type Connector, type ConnectorOptions, createConnector } from './connector.ts'
import { createDgram, type Dgram } from './dgram/dgram.ts'
import { EventChannels } from './event-channels.ts'
import { createHttp, createHttps, type Http, type Https } from './http.ts'
import { createHttp2, type Http2 } from './http2.ts'
import { extendJsStream } from './js-stream.ts'
import { KeepAlive } from './keep-alive.ts'
import { type KeyListener, KeyLog } from './key-log.ts'
import { bufferMemory } from './memory.ts'
import { listeningMethods } from './net/adopt.ts'
import { closeSockets } from './net/close-all.ts'
import { Farewells, LAST_WORDS } from './net/farewell.ts'
import type { NetHost } from './net/host.ts'
import { createNet, type Net } from './net/net.ts'
import { type Lookup, type NameOptions, Names } from './resolver.ts'
import { type StackCaptureOptions, StackCaptures } from './stack-capture.ts'
import { systemEnvironment } from './system.ts'
import { createTls, type Tls } from './tls.ts'

export interface NodeStackOptions extends Omit<PortableStackOptions, 'environment' | 'hooks'>, NameOptions {
  /** How long closed sockets may hold the process for octets that the peer has not acknowledged: ten seconds when not given. */
  lastWords?: number
}

/** With no options: loopback alone, which needs no device and no privilege. */
export async function createStack(options: NodeStackOptions = {}): Promise<NodeStack> {
  return new NodeStack(options)
}

export class NodeStack extends PortableStack {
  readonly #keepAlive: KeepAlive
  readonly #farewells: Farewells
  readonly #keyLog: KeyLog
  readonly #captures: StackCaptures
  readonly #lookup: Lookup
  #net: Net | null = null
  #dgram: Dgram | null = null
  #web: StreamSockets | null = null
  #listeningMethods: object | null = null
  #http: Http | null = null
  #https: Https | null = null
  #tls: Tls | null = null
  #http2: Http2 | null = null

  /** What `net` and `dgram` stand on. @internal */
  readonly host: NetHost

  /** @internal `createStack` makes them. `environment`: another than the system's, which then holds no process. */
  constructor(options: NodeStackOptions, hooks: DriverHooks = {}, environment?: Environment) {
    const { resolver, hosts, lastWords = LAST_WORDS, ...rest } = options
    const keepAlive = new KeepAlive()
    if (environment !== undefined) keepAlive.close()
    const channels = new EventChannels()
    const before = () => channels.attend(this)
    const watched = { ...hooks, before }
    super({
      allocate: bufferMemory(),
      ...rest,
      hooks: watched,
      environment: environment ?? systemEnvironment(keepAlive),
    })
    this.#keepAlive = keepAlive
    const { core, driver } = this
    const { lookup } = new Names({ resolver, hosts })
    this.#lookup = lookup
    const farewells = new Farewells(driver, keepAlive, lastWords)
    this.#farewells = farewells
    const keyLog = new KeyLog()
    this.#keyLog = keyLog
    this.#captures = new StackCaptures(core.observer, keyLog)
    const host = { core, driver, keepAlive, farewells, lookup, keyLog }
    this.host = host
  }

  // Modules of Node's on this stack, each made when it is first asked for: loading them all takes 10 ms, and simulated hosts are many.

  /** `node:net` on this stack. */
  get net(): Net {
    this.#net ??= createNet(this.host)
    return this.#net
  }

  /** `node:dgram` on this stack. */
  get dgram(): Dgram {
    this.#dgram ??= createDgram(this.host)
    return this.#dgram
  }

  /** Sockets as web streams. */
  get web(): StreamSockets {
    this.#web ??= streamSockets(this, {
      lookup: (hostname) => addressOf(this.#lookup, hostname),
      hold: () => this.#keepAlive.hold(),
      close: (endpoint) => this.#farewells.close(endpoint),
    })
    return this.#web
  }

  /** `node:http`: its servers and agents. */
  get http(): Http {
    this.#http ??= createHttp(process.getBuiltinModule('node:http'), this.#listening(), this.net.connect)
    return this.#http
  }

  /** `node:https`: its servers and agents. */
  get https(): Https {
    const { getBuiltinModule } = process
    extendJsStream(getBuiltinModule('node:tls'))
    const [https, http] = [getBuiltinModule('node:https'), getBuiltinModule('node:http')]
    this.#https ??= createHttps(https, http, this.#listening(), this.net.connect)
    return this.#https
  }

  /** `node:tls`. TLS of Node's own over a socket of the stack knows its addresses once this was asked for. */
  get tls(): Tls {
    const tls = process.getBuiltinModule('node:tls')
    extendJsStream(tls)
    this.#tls ??= createTls(tls, this.#listening(), this.net.connect)
    return this.#tls
  }

  /** `node:http2`, in clear and with TLS. */
  get http2(): Http2 {
    extendJsStream(process.getBuiltinModule('node:tls'))
    this.#http2 ??= createHttp2(process.getBuiltinModule('node:http2'), this.#listening(), this.net.connect)
    return this.#http2
  }

  /** What undici's agents, clients and pools take as `connect`. */
  connector(options: ConnectorOptions = {}): Connector {
    return createConnector(this.net.connect, () => this.tls, options)
  }

  #listening(): object {
    this.#listeningMethods ??= listeningMethods(this.host, this.net.Socket)
    return this.#listeningMethods
  }

  override addInterface(options: InterfaceOptions): Interface {
    const link = new TappedLink(options.link)
    const added = super.addInterface({ ...options, link })
    this.#captures.add(added.name, link)
    return added
  }

  /**
   * Hands over the blocks of a pcapng file, one by one, each its own to keep: the packets of all interfaces from now on, with what only the
   * stack knows of them as comments, and the secrets of its TLS. The returned function ends it.
   */
  capture(sink: PcapngSink, options?: StackCaptureOptions): () => void {
    return this.#captures.start(sink, options)
  }

  /** The secrets of TLS on this stack from now on, in lines as SSLKEYLOGFILE has them; the returned function ends it. */
  keyLog(listener: KeyListener): () => void {
    return this.#keyLog.add(listener)
  }

  override openUdp(options?: Parameters<PortableStack['openUdp']>[0]): HeldUdpEndpoint {
    const { socket } = super.openUdp(options)
    return new HeldUdpEndpoint(socket, this.driver, this.#keepAlive, this.#farewells)
  }

  override async ping(address: string, options?: PingOptions): Promise<PingReply> {
    const letGo = this.#keepAlive.hold()
    try {
      return await super.ping(address, options)
    } finally {
      letGo()
    }
  }

  /** Every socket: listeners, requests, connections, TIME-WAIT records, and UDP's. */
  connections(options?: ConnectionsOptions): SocketView[] {
    return connections(this, options)
  }

  /** Keeps the process alive until the returned function is called: for who only routes, and has no socket to wait for. */
  hold(): () => void {
    return this.#keepAlive.hold()
  }

  /** Sockets are destroyed, servers closed, and peers told by a reset. */
  override close(): void {
    try {
      closeSockets(this.core)
    } finally {
      try {
        super.close()
      } finally {
        this.#keepAlive.close()
      }
    }
  }
}

function addressOf(lookup: Lookup, hostname: string): Promise<string> {
  return new Promise((resolve, reject) => {
    lookup(hostname, {}, (error, address) => (error ? reject(error) : resolve(address as string)))
  })
}

/** An endpoint that keeps the process alive until it is closed or unref'd. */
export class HeldUdpEndpoint extends UdpEndpoint {
  readonly #keepAlive: KeepAlive
  readonly #farewells: Farewells
  #letGo: () => void

  constructor(socket: UdpEndpoint['socket'], driver: Driver, keepAlive: KeepAlive, farewells: Farewells) {
    super(socket, driver)
    this.#keepAlive = keepAlive
    this.#farewells = farewells
    this.#letGo = keepAlive.hold()
  }

  ref(): this {
    this.#letGo()
    this.#letGo = this.#keepAlive.hold()
    return this
  }

  unref(): this {
    this.#letGo()
    return this
  }

  /** What waits to be sent still goes, and holds the process for so long. */
  override close(): void {
    this.#letGo()
    if (this.socket.isClosed) return
    super.close()
    this.#farewells.waitForDatagrams(this.socket)
  }
}
