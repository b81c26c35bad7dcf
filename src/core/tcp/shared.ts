// What all connections of one stack share: the world around TCP as the stack provides it, the slabs, keys and limits.
// One a stack, made by tcp/tcp, known by every control block; steps reach the rest of the stack through it alone.
import type { Allocate } from '../batch.ts'
import type { Deadlines } from '../deadlines.ts'
import type { Random } from '../environment.ts'
import type { Interfaces } from '../ip/interfaces.ts'
import type { IpOutput } from '../ip/output.ts'
import { Packet } from '../ip/packet.ts'
import type { PathMtu } from '../ip/path-mtu.ts'
import type { Routes } from '../ip/routes.ts'
import type { Counters, Observer } from '../observer.ts'
import type { ReadyList } from '../ready.ts'
import { TimeWait } from './closing/time-wait.ts'
import { Acknowledged, type CongestionFactory } from './congestion/congestion.ts'
import { controllerOf } from './congestion/controllers.ts'
import { cubic } from './congestion/cubic.ts'
import { type Connected, Demux } from './demux.ts'
import { InitialSequence } from './opening/initial-sequence.ts'
import { ReassemblyPool } from './receiver/reassembly.ts'
import { ReceiveBuffers } from './receiver/receive-buffer.ts'
import { Segment } from './segment.ts'
import { RateSample } from './sender/delivery-rate.ts'
import { FlightSlab } from './sender/flight.ts'
import { Scoreboard } from './sender/scoreboard.ts'
import type { TcpSettings } from './settings.ts'
import { SlabPool } from './slabs.ts'
import { Timers } from './timers.ts'
import { TupleHash } from './tuple-hash.ts'

/** What TCP needs of the stack. */
export interface TcpContext {
  readonly interfaces: Interfaces
  readonly routes: Routes
  readonly pathMtu: PathMtu
  readonly output: IpOutput
  readonly observer: Observer
  readonly deadlines: Deadlines
  readonly random: Random
  readonly ready: ReadyList
  /** What `SlabPool` has for itself where not given. */
  readonly allocate?: Allocate
}

/** A connection, as those see it who find it by its addresses. */
export interface Member extends Connected {
  receive(segment: Segment, now: number): void
  readonly isOver: boolean
}

export class Shared {
  readonly interfaces: Interfaces
  readonly routes: Routes
  readonly pathMtu: PathMtu
  readonly output: IpOutput
  readonly observer: Observer
  readonly counters: Counters
  readonly deadlines: Deadlines
  readonly random: Random
  readonly ready: ReadyList
  readonly settings: TcpSettings
  readonly tupleHash: TupleHash
  readonly sequences: InitialSequence
  readonly slabs: SlabPool
  readonly receiveBuffers: ReceiveBuffers
  readonly timers = new Timers()
  readonly connections: Demux<Member>
  readonly timeWait: TimeWait
  readonly flights = new FlightSlab()
  readonly reassemblies: ReassemblyPool
  /** Results of one ACK's processing: borrowed until the next. */
  readonly scoreboard = new Scoreboard()
  readonly sample = new RateSample()
  readonly acknowledged = new Acknowledged()
  readonly segment = new Segment(new Packet())
  /** Blocks that are being written. */
  readonly sackStart = new Int32Array(4)
  readonly sackEnd = new Int32Array(4)
  /** The controller of connections that choose none. */
  congestion: CongestionFactory
  /** The number of the next connection, for events. */
  nextNumber = 1

  constructor(context: TcpContext, settings: TcpSettings) {
    this.interfaces = context.interfaces
    this.routes = context.routes
    this.pathMtu = context.pathMtu
    this.output = context.output
    this.observer = context.observer
    this.counters = context.observer.counters
    this.deadlines = context.deadlines
    this.random = context.random
    this.ready = context.ready
    this.settings = settings
    this.tupleHash = new TupleHash(context.random)
    this.sequences = new InitialSequence(context.random)
    this.slabs = new SlabPool(context.allocate)
    this.receiveBuffers = new ReceiveBuffers(this.slabs)
    this.connections = new Demux(this.tupleHash)
    this.timeWait = new TimeWait(this.tupleHash, settings.timeWait, settings.mostTimeWait)
    this.congestion = controllerOf(settings.congestion) ?? cubic
    this.reassemblies = new ReassemblyPool(settings.mostOutOfOrder)
  }

  /** Buffers grow no more. */
  get isUnderPressure(): boolean {
    return this.slabs.held >= this.settings.memoryPressure
  }

  /** Nothing new is taken. */
  get isOutOfMemory(): boolean {
    return this.slabs.held >= this.settings.memoryMost
  }
}
